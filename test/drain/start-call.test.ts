/** The start of a call, with everything that can come between two of its steps: freezes, revocations, looks of the drain thread. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SlotWindow } from '../../src/drain/slot-window.js';
import { startCall } from '../../src/drain/start-call.js';
import { StartGate } from '../../src/memory/start-gate.js';
import { StartedCalls } from '../../src/memory/started-calls.js';
import { NO_DEADLINE } from '../../src/model/drain-control.js';

const MS = 1e6;
const SECOND = 1e9;
/** By how much a start can be later than what was checked and noted. */
const TOLERANCE_NS = MS;
const DEADLINE_NS = 20 * SECOND;
/** More than the steps of three rounds. */
const STEPS = 14;

class World {
  nowNs = SECOND;
  revokedNs = Number.POSITIVE_INFINITY;
  readonly gate = new StartGate();
  readonly calls = new StartedCalls();
  readonly window = new SlotWindow(
    (call) => this.calls.startedAtNs(call),
    () => this.nowNs,
    () => {},
  );
  readonly #events: ReadonlyMap<number, (world: World) => void>;
  #step = 0;

  constructor(events: ReadonlyMap<number, (world: World) => void>) {
    this.#events = events;
    this.gate.extend({ ...NO_DEADLINE, monotonicNs: DEADLINE_NS });
  }

  /** One grant of one order; returns whether the call may start, at `nowNs`. */
  run(): boolean {
    const call = this.calls.begin();
    const grant = this.window.grant(1, this.gate.epoch);
    grant.sent(call);
    return startCall(
      {
        gate: {
          admits: (epoch, ns, ms) => this.#between(() => this.gate.admits(epoch, ns, ms)),
        },
        // Between the last reading of the clock and the handler there is no step that a freeze could be seen at.
        calls: this.calls,
        nowNs: () => this.#between(() => this.nowNs),
        nowMs: () => this.#between(() => 0),
      },
      call,
      grant.epoch,
    );
  }

  /** Events come before a step. The last one reads the clock, and the handler begins after it. */
  #between<T>(step: () => T): T {
    this.#events.get(this.#step++)?.(this);
    this.nowNs += 100;
    return step();
  }
}

const EVENTS: Readonly<Record<string, (world: World) => void>> = {
  'a short interruption': (world) => {
    world.nowNs += 0.4 * MS;
  },
  'a long interruption': (world) => {
    world.nowNs += 5 * MS;
  },
  'a freeze longer than a window': (world) => {
    world.nowNs += 2 * SECOND;
  },
  'a freeze beyond the deadline': (world) => {
    world.nowNs += 30 * SECOND;
  },
  'the drain thread revokes': (world) => {
    world.gate.revoke();
    world.revokedNs = Math.min(world.revokedNs, world.nowNs);
  },
  'the drain thread looks': (world) => world.window.settle(),
};

/** Why the start was wrong; empty if it was not. */
function faultOf(world: World, mayStart: boolean): string {
  if (!mayStart) return '';
  const startNs = world.nowNs;
  if (startNs > DEADLINE_NS + TOLERANCE_NS) return 'it starts after the deadline';
  if (startNs > world.revokedNs + TOLERANCE_NS) return 'it starts although it was revoked';
  while (world.nowNs < startNs + SECOND) {
    world.window.settle();
    if (world.window.used === 0) return `its slot is free ${world.nowNs - startNs} ns after it`;
    world.nowNs += 10 * MS;
  }
  world.nowNs += 20 * MS;
  world.window.settle();
  return world.window.used === 0 ? '' : 'its slot is never free';
}

it('starts no call that may not start, and notes no start too early, whatever comes in between', () => {
  const faults: string[] = [];
  let [started, refused] = [0, 0];
  const names = Object.keys(EVENTS);
  for (const first of names) {
    for (const second of names) {
      for (let i = 0; i < STEPS; i++) {
        for (let j = i + 1; j <= STEPS; j++) {
          for (const third of [null, ...names]) {
            const events = new Map([
              [i, EVENTS[first]!],
              [j, EVENTS[second]!],
            ]);
            if (third !== null) events.set(j + 1, EVENTS[third]!);
            const world = new World(events);
            const mayStart = world.run();
            if (mayStart) started++;
            else refused++;
            const fault = faultOf(world, mayStart);
            if (fault !== '')
              faults.push(`${first} at ${i}, ${second} at ${j}, ${third}: ${fault}`);
          }
        }
      }
    }
  }
  assert.deepEqual(faults.slice(0, 5), []);
  assert.ok(started > 1000 && refused > 1000, `${started} started, ${refused} refused`);
});
