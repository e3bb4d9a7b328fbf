import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfSipHash } from '../../src/idempotency/half-sip-hash.js';
import { randomFrom } from '../memory/random.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

/**
 * From the reference implementation, github.com/veorq/SipHash, file vectors.h, `vectors_hsip64`: the input 00 01 02 ...
 * of length 0, 1, 2, ... with the key 00 01 02 ... 07.
 */
const VECTORS = [
  '218d1f59b9b83cc8',
  'be552412f8387315',
  '064f39ef7c50eb57',
  'ce0f1a45f7060679',
  'd5e78a175be52ea1',
  'cb9d7c3f2f3db580',
  'ce3e91358aa2bc25',
  'ff202728b07bc684',
  'edfee820bce4858c',
  '5b51cccc13888307',
  '95b0469f06a6f2ee',
  'ae26333994ddcd48',
  '7bc71f9faef5c799',
  '5a2352d75a0c3744',
  '3bb1a870eae8e658',
  '217d0bcb4e81c902',
  '7336aad25f7bf3b5',
];

function hashOf(key: Uint8Array, bytes: Uint8Array): string {
  const keys = new DataView(key.buffer);
  const out = new Int32Array(4);
  halfSipHash(keys.getInt32(0, true), keys.getInt32(4, true), bytes, bytes.length, out, 1);
  assert.deepEqual([out[0], out[3]], [0, 0]);
  const text = Buffer.alloc(8);
  text.writeInt32LE(out[1], 0);
  text.writeInt32LE(out[2], 4);
  return text.toString('hex');
}

/** An independent implementation from the paper, with BigInt and slow. */
function plainHash(key: Uint8Array, bytes: Uint8Array): string {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (32n - by))) & mask;
  const word = (from: Uint8Array, at: number) =>
    [0, 1, 2, 3].reduce((sum, i) => sum + (BigInt(from[at + i]) << BigInt(8 * i)), 0n);
  const v = [word(key, 0), word(key, 4), word(key, 0) ^ 0x6c796765n, word(key, 4) ^ 0x74656462n];
  const add = (a: number, b: number, by: bigint) => {
    v[a] = (v[a] + v[b]) & mask;
    v[b] = rotate(v[b], by) ^ v[a];
  };
  const rounds = (n: number) => {
    for (let i = 0; i < n; i++) {
      add(0, 1, 5n);
      v[0] = rotate(v[0], 16n);
      add(2, 3, 8n);
      add(0, 3, 7n);
      add(2, 1, 13n);
      v[2] = rotate(v[2], 16n);
    }
  };
  const padded = new Uint8Array(4 * (Math.floor(bytes.length / 4) + 1));
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length & 0xff;
  v[1] ^= 0xeen;
  for (let at = 0; at < padded.length; at += 4) {
    const m = word(padded, at);
    v[3] ^= m;
    rounds(2);
    v[0] ^= m;
  }
  v[2] ^= 0xeen;
  rounds(4);
  const first = v[1] ^ v[3];
  v[1] ^= 0xddn;
  rounds(4);
  const text = Buffer.alloc(8);
  text.writeUInt32LE(Number(first), 0);
  text.writeUInt32LE(Number(v[1] ^ v[3]), 4);
  return text.toString('hex');
}

test('matches the test vectors of the reference implementation of HalfSipHash-2-4', () => {
  const key = Uint8Array.from({ length: 8 }, (_, i) => i);
  for (const [length, expected] of VECTORS.entries()) {
    const bytes = Uint8Array.from({ length }, (_, i) => i);
    assert.equal(hashOf(key, bytes), expected, `length ${length}`);
    assert.equal(plainHash(key, bytes), expected, `length ${length}`);
  }
});

test(`agrees with an independent implementation on random input (FOREBAY_SEED=${seed})`, () => {
  const random = randomFrom(seed);
  for (let i = 0; i < 2000; i++) {
    const key = Uint8Array.from({ length: 8 }, () => random(256));
    const bytes = Uint8Array.from({ length: random(300) }, () => random(256));
    assert.equal(hashOf(key, bytes), plainHash(key, bytes));
  }
});
