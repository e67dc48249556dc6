import { bytesOf, rng, sha256Hex } from '@grok/core';
import { it } from 'vitest';

it('x', () => {
  const r = rng(42);
  console.log(
    [...r.words(6)].map((w) => '0x' + w.toString(16)),
    [...r.split('dropout').split(7).words(3)].map((w) => w.toString(16)),
    r.split('init').normal(4),
    r.split('order').split(1).permutation(10),
    sha256Hex(bytesOf(r.words(1000))),
    sha256Hex(bytesOf(r.split('init').normal(1000))),
    sha256Hex(bytesOf(r.split('order').split(1).permutation(4656))),
    sha256Hex(r.split('dropout').bernoulli(1000, 0.8)),
    sha256Hex(bytesOf(r.split('init').truncatedNormal(1000))),
  );
  const big = new Uint8Array(6.6e6);
  const t = performance.now();
  sha256Hex(big);
  console.log(performance.now() - t);
});
