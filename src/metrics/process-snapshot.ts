import type { processFamilies } from './names.js';

/**
 * prom-client's collectDefaultMetrics would come with a hook on every garbage collection and a second
 * event loop monitor, and can't be told to leave them out.
 */
export const processSnapshot: Readonly<Record<keyof typeof processFamilies, () => number>> = {
  cpuSeconds: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  residentBytes: () => process.memoryUsage.rss(),
  startSeconds: () => Math.round(performance.timeOrigin) / 1000,
  heapTotalBytes: () => process.memoryUsage().heapTotal,
  heapUsedBytes: () => process.memoryUsage().heapUsed,
  externalBytes: () => process.memoryUsage().external,
};
