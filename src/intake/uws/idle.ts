/**
 * uWebSockets.js closes a connection that is idle for three ticks of a clock of 4 s, counted from the middle of one: after 8
 * to 12 s. That is compiled in (`HTTP_TIMEOUT_S`). A second less, so that a client that relies on it is not late.
 */
export const KEEP_ALIVE_MS_MAX = 7000;
