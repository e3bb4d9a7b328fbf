import type { Frame } from '../../src/model/frame.js';
import type { Appender } from '../../src/model/journal.js';

/** A journal whose commits are acknowledged by the test. */
export class ManualAppender implements Appender {
  readonly name = 'local';
  writable = true;
  reason = '';
  readonly sent: {
    frame: Frame;
    text: string;
    resolve: (v: Uint8Array | null) => void;
    reject: (e: Error) => void;
  }[] = [];

  commit(frame: Frame): Promise<Uint8Array | null> {
    const text = Buffer.from(frame.payload).toString();
    return new Promise((resolve, reject) => this.sent.push({ frame, text, resolve, reject }));
  }

  async close(): Promise<void> {}
}
