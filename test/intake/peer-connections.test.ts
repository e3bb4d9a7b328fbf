import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PeerConnections } from '../../src/intake/peer-connections.js';

it('addresses that connect once each do not add up', () => {
  let looks = 0;
  const peers = new PeerConnections({
    connectionsMax: 100,
    threads: 2,
    port: () => {
      looks++;
      return 1;
    },
  });
  for (let i = 0; i < 25_000; i++) peers.hasTooMany(`10.0.${i >> 8}.${i & 255}`);
  // Each look begins to count anew.
  assert.ok(looks > 0);
});
