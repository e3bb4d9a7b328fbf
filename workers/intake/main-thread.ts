/** `--threads 0`: the intake runs in the main thread. To the supervisor it looks like any other intake thread. */
import { EventEmitter } from 'node:events';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import type { IntakeCommand, IntakeReport, IntakeThread, IntakeThreadData } from './protocol.js';
import { type IntakeHandle, openIntake } from './stages.js';

/** A bug in the intake is a bug of the main thread, which ends the process in order. */
class MainThreadIntake extends EventEmitter implements IntakeThread {
  readonly #opened: Promise<IntakeHandle | null>;
  #setOpened: () => void = () => {};
  #isAsked = false;

  constructor(data: IntakeThreadData) {
    super();
    const journalOpened = new Promise<void>((resolve) => {
      this.#setOpened = resolve;
    });
    this.#opened = openIntake(
      data,
      (message) => this.#report(message),
      journalOpened,
      () => this.emit('exit', 0),
    ).then(
      (intake) => {
        this.#report({ type: 'started' });
        return intake;
      },
      (error: unknown) => this.#fail(error),
    );
  }

  postMessage(command: IntakeCommand): void {
    if (command.type === 'open') {
      this.#isAsked = true;
      this.#setOpened();
    } else if (!this.#isAsked) {
      // The server could not open the journal, or was stopped before it started.
      if (command.type === 'stop') this.emit('exit', 0);
      return;
    }
    void this.#opened
      .then((intake) => intake?.handle(command))
      .catch((error: unknown) => this.#fail(error));
  }

  #report(message: IntakeReport): void {
    this.emit('message', message);
  }

  #fail(error: unknown): null {
    if (!(error instanceof OperatorFault)) {
      // The supervisor must not wait for this intake any more.
      this.emit('exit', EXIT.failed);
      throw error;
    }
    this.#report({ type: 'fault', message: error.message, exitCode: error.exitCode });
    this.emit('exit', error.exitCode);
    return null;
  }
}

export function startIntakeInMain(data: IntakeThreadData): IntakeThread {
  return new MainThreadIntake(data);
}
