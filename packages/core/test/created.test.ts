/** Plugins that misbehave in `create` are told by name, and the registry goes on. */
import {
  type Backend,
  createRegistry,
  guardedCreate,
  type Kind,
  type Plugin,
  type Provision,
} from '@grok/core';
import * as tf from '@grok/tfjs';
import { afterEach, describe, expect, it, vi } from 'vitest';

const pluginOf = (kind: Kind, create: () => unknown): Plugin => ({
  name: 'grok-odd',
  version: '1.2.3',
  core: '>=0.1.0 <1',
  provides: [
    { kind, name: 'odd', summary: 'Odd.', options: { type: 'object' }, create } as Provision,
  ],
});
const made = (kind: Kind, create: () => unknown): unknown =>
  createRegistry([pluginOf(kind, create)]).create(kind, 'odd', {}, { tf });
afterEach(() => vi.useRealTimers());

describe('a plugin whose create', () => {
  // Catches: a stack from inside the trainer that names nobody.
  it('throws', () => {
    const create = (): never => {
      throw new TypeError('x is not a function');
    };
    expect(() => made('strategy', create)).toThrow(
      'strategy "odd" of grok-odd 1.2.3: create failed: x is not a function',
    );
  });
  it.each([
    ['strategy', undefined, 'must return a function, got undefined'],
    ['model', {}, 'must return a function, got object'],
    ['task', null, 'must return an object, got null'],
    ['task', { vocabulary: 2 }, '"inputs" is of type object, got undefined'],
    ['optimizer', { init() {}, update() {} }, '"elementwise" is of type boolean, got undefined'],
    ['probe', { needs: {} }, '"on" is of type function, got undefined'],
    ['backend', { name: 'x', device: 'x' }, '"capabilities" is of type object, got undefined'],
  ] as const)('gives a %s that is %j', (kind, product, rule) => {
    expect(() => made(kind, () => product)).toThrow(rule);
  });
  it('gives a promise of a bad backend, or of none', async () => {
    await expect(made('backend', async () => ({ name: 'x' }))).rejects.toThrow(
      'backend "odd" of grok-odd 1.2.3: create must return an object whose "device"',
    );
    await expect(made('backend', () => Promise.reject(new Error('no GPU')))).rejects.toThrow(
      'backend "odd" of grok-odd 1.2.3: create failed: no GPU',
    );
  });
  it('never comes back', async () => {
    vi.useFakeTimers();
    const hanging = guardedCreate(
      'backend "odd" of grok-odd 1.2.3',
      'backend',
      () => new Promise<Backend>(() => {}),
      7000,
    ) as Promise<Backend>;
    const failure = expect(hanging).rejects.toThrow(
      'backend "odd" of grok-odd 1.2.3: create gave nothing within 7 s',
    );
    await vi.advanceTimersByTimeAsync(7000);
    await failure;
  });
  it('fails, and the registry goes on', () => {
    const registry = createRegistry([pluginOf('strategy', () => undefined)]);
    expect(() => registry.create('strategy', 'odd', {}, { tf })).toThrow('odd');
    expect(registry.create('strategy', 'hard', {}, { tf })).toBeTypeOf('function');
  });
});
