import { drainSchema } from './drain-schema.js';
import { intakeSchema } from './intake-schema.js';
import { serverSchema } from './server-schema.js';
import type { Specs } from './spec.js';

/**
 * Every option there is: flags, environment variables, checks, help and docs/reference/options.md are all made
 * from this table, in its order.
 */
export const schema: Specs = { ...serverSchema, ...intakeSchema, ...drainSchema };
