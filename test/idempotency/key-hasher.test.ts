import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestText, KeyHasher } from '../../src/idempotency/key-hasher.js';
import { orderBody } from '../support/orders.js';

const order = new TextEncoder().encode(orderBody('maksim.konovalov'));

test('the digest of an order never changes, because journals keep it', () => {
  const hasher = new KeyHasher([1, 2, 3, 4]);
  assert.equal(digestText(hasher.hash('k', order, order.length)), '74e40530afd069c1');
});

test('a digest from a journal yields the same words', () => {
  const hasher = new KeyHasher([1, -2, 3, -4]);
  for (let i = 0; i < 200; i++) {
    const bytes = new TextEncoder().encode(orderBody(`user-${i}`));
    const words = hasher.hash(`key-${i}`, bytes, bytes.length);
    const digest = digestText(words);
    assert.match(digest, /^[0-9a-f]{16}$/);
    assert.deepEqual(hasher.hashWithDigest(`key-${i}`, digest), words);
  }
});

test('all characters of a key are hashed, with the given seeds', () => {
  const longest = 'k'.repeat(64);
  const keys = ['a', 'b', 'ab', 'ba', longest, longest.slice(1), `${longest.slice(1)}j`];
  const hashes = [
    [1, 2, 3, 4],
    [1, 2, 3, 5],
    [2, 2, 3, 4],
  ].flatMap((seeds) => {
    const hasher = new KeyHasher(seeds as [number, number, number, number]);
    return keys.map((key) => hasher.hash(key, order, order.length).slice(0, 4).join());
  });
  assert.equal(new Set(hashes).size, hashes.length);
  const halves = hashes.map((hash) => hash.split(',').slice(0, 2).join());
  assert.equal(new Set(halves.slice(0, keys.length)).size, keys.length);
});
