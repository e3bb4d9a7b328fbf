/** Signals that ask a process to end. A program that manages processes, a terminal and a tool such as nodemon send them. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** What a stop signal does. It always does something: the kernel discards a signal to process 1 that nobody handles. */
export interface StopSignals {
  /** Replaces what the next stop signal does. */
  onStop(handle: (signal: StopSignal) => void): void;
  /** From now on a stop signal ends the process as if it were not handled. */
  reset(): void;
}

/** What a shell reports for a program that a signal ended. Numbers as on every POSIX system. */
export const EXIT_BY_SIGNAL: Readonly<Record<StopSignal, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGQUIT: 131,
  SIGUSR2: 140,
  SIGTERM: 143,
};
