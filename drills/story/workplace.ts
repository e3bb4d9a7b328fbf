import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { Children } from './children.js';
import { leaveNothingBehind } from './left-behind.js';

/** What a story leaves nothing of: the processes that it starts, and the folder for their files. */
export class Workplace {
  readonly children = new Children();
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws OperatorFault there can be no temporary folder */
  static async open(): Promise<Workplace> {
    try {
      const folder = await mkdtemp(join(tmpdir(), 'forebay-story-'));
      leaveNothingBehind(folder);
      return new Workplace(folder);
    } catch (error) {
      const why = (error as Error).message;
      throw new OperatorFault(`story: no temporary folder (TMPDIR): ${why}`, EXIT.failed);
    }
  }

  async close(): Promise<void> {
    await this.children.endAll();
    await rm(this.folder, { recursive: true, force: true });
  }
}
