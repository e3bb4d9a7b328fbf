import assert from 'node:assert/strict';
import { Ajv } from 'ajv';
import { monotonicNs } from '../../src/limit/clock.js';
import { WindowLimiter } from '../../src/limit/window.js';
import { type OrderData, orderSchema } from '../../src/model/order.js';
import { orderContract } from '../../src/schema/contract.js';
import { openValidator } from '../../src/schema/validator.js';
import { ORDER } from '../load.js';

/** Does an operation `turns` times and checks the result. */
export type Loop = (turns: number) => void;

/** @param times how often the operation is done in each turn; more than 1 tests the guard itself */
export type MakeLoop = (times: number) => Loop;

export const guarded = ['validate', 'limiter'] as const;
export type Guarded = (typeof guarded)[number];

export const loops: Readonly<Record<Guarded, MakeLoop>> = {
  validate: validateLoop,
  limiter: limiterLoop,
};

const TARGET_BYTES = 64 * 1024;
/** More than can be admitted in so short a window: all are admitted, and no window is empty. */
const LIMIT = 1_000_000;
const WINDOW_MS = 5;

function validateLoop(times: number): Loop {
  const validator = openValidator(orderContract);
  const body = new TextEncoder().encode(ORDER);
  const target = Buffer.allocUnsafeSlow(TARGET_BYTES);
  return (turns) => {
    let valid = 0;
    let at = 0;
    for (let turn = 0; turn < turns; turn++) {
      for (let i = 1; i < times; i++) validator.validate(body, 0, body.length);
      if (!validator.validate(body, 0, body.length)) continue;
      if (at + validator.compactLength > target.length) at = 0;
      at = validator.writeTo(target, at);
      valid++;
    }
    assert.equal(valid, turns);
  };
}

function limiterLoop(times: number): Loop {
  const limiter = new WindowLimiter(WindowLimiter.memory(LIMIT, WINDOW_MS));
  return (turns) => {
    let admitted = 0;
    for (let turn = 0; turn < turns; turn++) {
      for (let i = 1; i < times; i++) limiter.tryAdmit();
      if (limiter.tryAdmit()) admitted++;
    }
    assert.equal(admitted, turns);
  };
}

/** The comparison for validation. */
export function parseAjvLoop(): Loop {
  const isOrder = new Ajv().compile<OrderData>(orderSchema);
  const body = Buffer.from(ORDER);
  return (turns) => {
    let valid = 0;
    for (let turn = 0; turn < turns; turn++) if (isOrder(JSON.parse(body.toString()))) valid++;
    assert.equal(valid, turns);
  };
}

/** The comparison for a decision of the limiter: the clock reading that is part of it. */
export function clockLoop(): Loop {
  return (turns) => {
    let lastNs = 0;
    for (let turn = 0; turn < turns; turn++) {
      const nowNs = monotonicNs();
      assert.ok(nowNs >= lastNs);
      lastNs = nowNs;
    }
  };
}
