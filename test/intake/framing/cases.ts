import { BODY_CASES } from './body-cases.js';
import { CONNECTION_CASES } from './connection-cases.js';
import type { FramingCase } from './framing-case.js';
import { HEAD_CASES } from './head-cases.js';

/** Requests whose framing is right, wrong or ambiguous. */
export const FRAMING_CASES: readonly FramingCase[] = [
  ...BODY_CASES,
  ...HEAD_CASES,
  ...CONNECTION_CASES,
];
