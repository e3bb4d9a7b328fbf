import { clockFaults } from './clock-faults.js';
import { clusterFaults } from './cluster-faults.js';
import { diskFaults } from './disk-faults.js';
import type { Fault } from './fault.js';
import { keyFaults } from './key-faults.js';
import { killFaults } from './kill-faults.js';
import { natsFaults } from './nats-faults.js';
import { pauseFaults } from './pause-faults.js';
import { postgresFaults } from './postgres-faults.js';
import { powerFaults } from './power-faults.js';
import { spoolFaults } from './spool-faults.js';
import { stopFaults } from './stop-faults.js';
import { threadFaults } from './thread-faults.js';

/** All faults, in the order in which they run. */
export const faults: readonly Fault[] = [
  ...killFaults,
  ...pauseFaults,
  ...stopFaults,
  ...threadFaults,
  ...postgresFaults,
  ...keyFaults,
  ...natsFaults,
  ...spoolFaults,
  ...diskFaults,
  ...clusterFaults,
  ...powerFaults,
  ...clockFaults,
];
