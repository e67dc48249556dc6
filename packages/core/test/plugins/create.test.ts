/** Plugins whose `create` misbehaves are named in the error, and the registry stays usable. */
import {
  type BackendAdapter,
  type ComponentDefinition,
  createRegistry,
  InputError,
  type Kind,
  type Plugin,
} from '@grok/core';
import { guardedCreate } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, describe, expect, it, vi } from 'vitest';

const makePlugin = (kind: Kind, create: () => unknown): Plugin => ({
  name: 'grok-odd',
  version: '1.2.3',
  core: '>=0.1.0 <1',
  components: [
    {
      kind,
      name: 'odd',
      summary: 'Odd.',
      options: { type: 'object' },
      create,
    } as ComponentDefinition,
  ],
});
const createOne = (kind: Kind, create: () => unknown): unknown =>
  createRegistry([makePlugin(kind, create)]).create(kind, 'odd', {}, { tf });
afterEach(() => vi.useRealTimers());

describe('a plugin whose create', () => {
  // Catches: a stack trace from inside the trainer that names no plugin.
  it('throws', () => {
    const create = (): never => {
      throw new TypeError('x is not a function');
    };
    expect(() => createOne('strategy', create)).toThrow(
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
    ['backend', { device: 'x' }, '"capabilities" is of type object, got undefined'],
  ] as const)('returns a %s that is %j', (kind, product, rule) => {
    expect(() => createOne(kind, () => product)).toThrow(rule);
  });
  it.each(['strategy', 'tracker', 'model', 'probe'] as const)(
    'returns a promise of a %s',
    (kind) => {
      // Catches: a promise used as the product, whose rejection is unhandled.
      expect(() => createOne(kind, () => Promise.reject(new Error('late')))).toThrow(
        `${kind} "odd" of grok-odd 1.2.3: create() must return its result, got a promise`,
      );
    },
  );
  it('returns a promise of a bad backend, or of none', async () => {
    await expect(createOne('backend', async () => ({ threads: 1 }))).rejects.toThrow(
      'backend "odd" of grok-odd 1.2.3: create must return an object whose "device"',
    );
    await expect(createOne('backend', () => Promise.reject(new Error('no GPU')))).rejects.toThrow(
      'backend "odd" of grok-odd 1.2.3: create failed: no GPU',
    );
  });
  it('never returns', async () => {
    vi.useFakeTimers();
    const hanging = guardedCreate(
      'backend "odd" of grok-odd 1.2.3',
      'backend',
      () => new Promise<BackendAdapter>(() => {}),
      7000,
    );
    const failure = expect(hanging).rejects.toThrow(
      'backend "odd" of grok-odd 1.2.3: create() timed out after 7 s',
    );
    await vi.advanceTimersByTimeAsync(7000);
    await failure;
  });
  it('fails does not break the registry', () => {
    const registry = createRegistry([makePlugin('strategy', () => undefined)]);
    expect(() => registry.create('strategy', 'odd', {}, { tf })).toThrow('odd');
    expect(registry.create('strategy', 'hard', {}, { tf })).toBeTypeOf('function');
  });
});

describe('a plugin whose function', () => {
  const call = (kind: Kind, product: unknown, given: unknown[] = []): unknown =>
    (createOne(kind, () => product) as (...given: unknown[]) => unknown)(...given);

  // Catches: the same for functions called later: a model factory, a split or an objective.
  it.each([
    ['model', 'its factory'],
    ['split', 'its function'],
    ['strategy', 'its objective'],
  ] as const)('of a %s throws', (kind, who) => {
    const faulty = ({ x }: { x: number }): number => x;
    expect(() => call(kind, faulty)).toThrow(
      `${kind} "odd" of grok-odd 1.2.3: ${who} failed: Cannot destructure property 'x'`,
    );
    const meant = new InputError('model "odd": width must be even, got 3');
    const refusing = (): never => {
      throw meant;
    };
    expect(() => call(kind, refusing)).toThrow(meant);
  });
  it.each([
    ['split', undefined, 'its function must return an object, got undefined'],
    ['split', { train: [1] }, '"validation" is of type object, got undefined'],
    ['strategy', { loss() {} }, 'its objective must return an object whose "needs" is of type'],
    ['strategy', { needs: {} }, '"loss" is of type function, got undefined'],
    ['model', { shape: {} }, 'its factory must return an object whose "keepProbability"'],
  ] as const)('of a %s returns %j', (kind, result, rule) => {
    expect(() => call(kind, () => result)).toThrow(`${kind} "odd" of grok-odd 1.2.3: `);
    expect(() => call(kind, () => result)).toThrow(rule);
  });
  it('is valid receives its arguments, and its result is returned unchanged', () => {
    // Catches: arguments lost on the way; a copy instead of the result.
    const rows = { train: [], validation: [] };
    const given: unknown[] = [];
    const split = (...args: unknown[]): object => {
      given.push(...args);
      return rows;
    };
    expect(call('split', split, [25, 7])).toBe(rows);
    expect(given).toEqual([25, 7]);
  });
});
