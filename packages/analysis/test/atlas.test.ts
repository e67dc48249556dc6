/** Tables of the atlas: what is packed can be read again, and values that do not exist stay so. */
import { expect, test } from 'vitest';
import { madeUp } from '../../../tests/made-up-study.js';
import { findPeers, formatPeer, spreadOut } from '../src/atlas/measure.js';
import { cell, LEVELS, packValues } from '../src/atlas/tables.js';

function unpack({ image, imageLow, imageHigh }: ReturnType<typeof packValues>): number[] {
  const [low, high] = [Number(imageLow), Number(imageHigh)];
  return [...String(image)].map((character) => {
    const level = LEVELS.indexOf(character);
    return level < 0 ? Number.NaN : low + ((high - low) * level) / (LEVELS.length - 1);
  });
}

test('packed values are read again within half a level', () => {
  // Catches: levels that wrap, an alphabet that a page reads in another order.
  const values = Array.from({ length: 500 }, (_, i) => Math.sin(i) * 3 + 1);
  const range = Math.max(...values) - Math.min(...values);
  for (const [i, value] of unpack(packValues('image', values)).entries())
    expect(Math.abs(value - (values[i] ?? 0))).toBeLessThanOrEqual((0.51 * range) / 63);
});

test('values that do not exist, and values that are all equal', () => {
  expect(unpack(packValues('image', [1, Number.NaN, 3]))).toEqual([1, Number.NaN, 3]);
  expect(unpack(packValues('image', [2, 2]))).toEqual([2, 2]);
  expect(unpack(packValues('image', [Number.NaN]))).toEqual([Number.NaN]);
  expect([cell(Number.NaN), cell(undefined), cell(1 / 3)]).toEqual([null, null, 0.33333]);
});

test('states are thinned evenly, from the first to the last', () => {
  const steps = Array.from({ length: 100 }, (_, i) => i);
  expect(spreadOut(steps, 4)).toEqual([0, 33, 66, 99]);
  expect(spreadOut([1, 2], 4)).toEqual([1, 2]);
});

test('peers are of the same model, and differ in seed or arm alone, no pair twice', () => {
  // Catches: a line from a student to its wider teacher, a pair that is counted from both sides.
  const names = ['teacher', 'none', 'logit'];
  const runs = names.flatMap((name) => [0, 1, 2, 3].map((seed) => madeUp({ name, seed })));
  const list = (name: string, seed: number) => {
    const run = runs.find((other) => other.name === name && other.seed === seed);
    return run && findPeers(run, runs).map((peer) => `${peer.differ}: ${formatPeer(peer.run)}`);
  };
  expect(list('teacher', 3)).toEqual([]);
  expect(list('none', 2)).toEqual(['seed: none, seed 3']);
  const control = 'arm: none, seed 0';
  expect(list('logit', 0)).toEqual(['seed: logit, seed 1', 'seed: logit, seed 2', control]);
});
