import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Children } from './children.js';

/** What a story leaves nothing of: the processes that it starts, and the folder for their files. */
export class Workplace {
  readonly children = new Children();
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Workplace> {
    return new Workplace(await mkdtemp(join(tmpdir(), 'forebay-story-')));
  }

  async close(): Promise<void> {
    await this.children.endAll();
    await rm(this.folder, { recursive: true, force: true });
  }
}
