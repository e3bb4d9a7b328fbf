/** `--threads 0`: the intake in the main thread, which for whoever watches over it is like one in a thread of its own. */
import { EventEmitter } from 'node:events';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import type { IntakeCommand, IntakeHost, IntakeReport, IntakeThreadData } from './protocol.js';
import { type OpenIntake, openIntake } from './stages.js';

/** A bug in it is one of the main thread, and ends the process in order. */
class MainThreadIntake extends EventEmitter implements IntakeHost {
  readonly #opened: Promise<OpenIntake | null>;

  constructor(data: IntakeThreadData) {
    super();
    this.#opened = openIntake(
      data,
      (message) => this.#report(message),
      () => this.emit('exit', 0),
    ).then(
      (intake) => {
        this.#report({ is: 'open' });
        return intake;
      },
      (error: unknown) => this.#fail(error),
    );
  }

  postMessage(command: IntakeCommand): void {
    void this.#opened
      .then((intake) => intake?.obey(command))
      .catch((error: unknown) => this.#fail(error));
  }

  #report(message: IntakeReport): void {
    this.emit('message', message);
  }

  #fail(error: unknown): null {
    if (!(error instanceof OperatorFault)) {
      // Nobody is to wait for it any more.
      this.emit('exit', EXIT.failed);
      throw error;
    }
    this.#report({ is: 'fault', message: error.message, exitCode: error.exitCode });
    this.emit('exit', error.exitCode);
    return null;
  }
}

export function intakeInMain(data: IntakeThreadData): IntakeHost {
  return new MainThreadIntake(data);
}
