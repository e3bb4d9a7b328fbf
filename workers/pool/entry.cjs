/**
 * The file that Piscina loads in a pool thread. It is CommonJS, because Piscina loads by `require`: Node.js 20 aborts the
 * whole process if a thread is ended while it requires an ES module, as at the end of a start that was refused.
 *
 * Piscina waits for the promise, so a thread is ready once the module is loaded, and one that fails to load is not replaced.
 */
const thread = import('./thread.js');
Object.defineProperty(thread, '__esModule', { value: true });
module.exports = thread;
