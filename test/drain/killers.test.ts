/** An order that kills the process becomes a dead letter, and no other order pays for it. Local journal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  accept,
  deadLetters,
  judge,
  killerHandler,
  type Scene,
  SIGKILL,
  supervise,
  temporary,
} from './killers.js';

const SCENES: readonly (readonly [string, Scene])[] = [
  ['kills it by SIGKILL', { killers: [3, 50], attemptsMax: 2, kill: SIGKILL }],
  ['kills it, with one attempt', { killers: [20], attemptsMax: 1, kill: SIGKILL }],
];

describe('an order whose handler ends the process', () => {
  for (const [what, scene] of SCENES) {
    it(`because it ${what}: becomes a dead letter`, async (t) => {
      const [data, handler] = [await temporary(t), await killerHandler(t, scene)];
      await accept(scene, data, []);
      const forebay = await supervise(t, { scene, handler, data });
      judge(scene, await handler.lines(), await deadLetters(['--data', data]));
      assert.equal(await forebay.stop(), 0);
    });
  }
});
