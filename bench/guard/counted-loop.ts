/** The program that runs under valgrind: `node counted-loop.js validate 100000 1`. */
import { type Guarded, loops } from './loops.js';

const [name, turns, times] = process.argv.slice(2);
loops[name as Guarded](Number(times))(Number(turns));
