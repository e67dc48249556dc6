/** Which component a name refers to, and which names are known. */
import { type ComponentDefinition, createRegistry, type Kind, type Plugin } from '@grok/core';
import { describe, expect, it } from 'vitest';

const item = (name: string, kind: Kind = 'strategy'): ComponentDefinition =>
  ({ kind, name, summary: 'Odd.', options: { type: 'object' }, create() {} }) as never;
const makePlugin = (name: string, ...components: ComponentDefinition[]): Plugin => ({
  ...{ name, version: '1.0.0', core: '>=0.1.0 <1' },
  components,
});
const names = (registry: ReturnType<typeof createRegistry>): string[] =>
  registry.list().flatMap((it) => (it.kind === 'strategy' ? `${it.package} ${it.name}` : []));

describe('add', () => {
  it('refuses a second component of the same kind and name, from any plugin', () => {
    // Catches: a second component that silently wins; part of a refused plugin kept.
    const registry = createRegistry([makePlugin('one', item('a'))]);
    const twice = makePlugin('two', item('b'), item('c'), item('b'));
    expect(() => registry.add(twice)).toThrow(
      'strategy "b" of two: the plugin has two with this name; rename one',
    );
    expect(() => registry.add(makePlugin('two', item('a')))).toThrow(
      'strategy "a" of two: one already has one with this name; give one of them an alias',
    );
    const aliased = makePlugin('two', item('b'), item('c'));
    expect(() => registry.add(aliased, { alias: { b: 'c' } })).toThrow(
      'two with this name; rename one, or choose another alias',
    );
    expect(names(registry)).toEqual(['@grok/core hard', 'one a']);
    registry.add(aliased, { alias: { b: 'c', c: 'b' } });
    expect(registry.get('strategy', 'c')).toBe(aliased.components[0]);
  });
  it('accepts two kinds with the same name', () => {
    // Catches: names compared without their kinds.
    const registry = createRegistry([makePlugin('one', item('a'), item('a', 'probe'))]);
    expect(registry.get('probe', 'a').kind).toBe('probe');
  });
});

describe('names that every object inherits', () => {
  it.each(['constructor', 'valueOf', 'toString', '__proto__'])(
    'work like any other name: %s',
    (name) => {
      // Catches: an alias or a kind found among inherited properties.
      const registry = createRegistry([makePlugin('one', item(name))]);
      expect(names(registry)).toEqual(['@grok/core hard', `one ${name}`]);
      expect(registry.get('strategy', name).name).toBe(name);
      registry.add(makePlugin('two', item('b')), { alias: { b: `${name}-2` } });
      expect(registry.get('strategy', `${name}-2`).name).toBe('b');
      expect(() =>
        registry.add(makePlugin('three', item('c')), { alias: { [name]: 'd' } }),
      ).toThrow(`unknown component of three to alias "${name}"`);
      const odd = { ...item('d'), kind: name as Kind };
      expect(() => registry.add(makePlugin('four', odd))).toThrow(`unknown kind "${name}"`);
    },
  );
});

describe('a child', () => {
  it('lists everything it can find, including later additions to its parent', () => {
    // Catches: a snapshot of the parent, so that later components are missing from "known".
    const parent = createRegistry();
    const child = parent.child();
    parent.add(makePlugin('late', item('late')));
    expect(child.get('strategy', 'late').name).toBe('late');
    expect(names(child)).toEqual(['@grok/core hard', 'late late']);
    expect(() => child.get('strategy', 'none')).toThrow('hard, late');
    expect(() => child.add(makePlugin('later', item('late')))).toThrow('late already has one');
  });
  it('keeps its additions to itself, even when the parent later gets the same name', () => {
    // Catches: a list that shows another component than the one that is found.
    const parent = createRegistry();
    const child = parent.child();
    child.add(makePlugin('inner', item('a')));
    expect(names(parent)).toEqual(['@grok/core hard']);
    parent.add(makePlugin('outer', item('a')));
    expect(names(child)).toEqual(['@grok/core hard', 'inner a']);
    expect(names(parent)).toEqual(['@grok/core hard', 'outer a']);
  });
});
