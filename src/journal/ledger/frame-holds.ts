/** This process's hold on a frame that was delivered. */
export interface Hold {
  /** Another process has the frame now. */
  readonly isLost: boolean;
}

/** The frames that were delivered and are neither settled, put back nor lost. */
export class FrameHolds {
  readonly #holds = new Map<string, { isLost: boolean }>();

  begin(frameId: string): Hold {
    const hold = { isLost: false };
    this.#holds.set(frameId, hold);
    return hold;
  }

  end(frameId: string): void {
    this.#holds.delete(frameId);
  }

  /** Ends the holds on all frames that are not this process's any more; returns their ids. */
  lose(isOurs: (frameId: string) => boolean): string[] {
    const lost = [...this.#holds.keys()].filter((frameId) => !isOurs(frameId));
    for (const frameId of lost) {
      this.#holds.get(frameId)!.isLost = true;
      this.#holds.delete(frameId);
    }
    return lost;
  }
}
