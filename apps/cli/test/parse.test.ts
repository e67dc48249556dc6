import { createRegistry } from '@grok/core';
import optim from '@grok/optim';
import { describe, expect, it } from 'vitest';
import { parseAssignment, parseInteger, parseNumber, parseStrategy } from '../src/parse.js';
import { changed, setAt } from '../src/set.js';

describe('numbers', () => {
  it.each(['abc', '', ' ', '1e400', 'NaN', '0x', '1,5', '2.5.1'])('refuses %j', (text) => {
    // Catches: parseFloat's "2.5.1" = 2.5, Number('') = 0.
    expect(() => parseNumber('--lr', text)).toThrow(
      `--lr: must be a number, got ${JSON.stringify(text)}`,
    );
  });
  it.each([
    ['1e-3', 1e-3],
    ['-1', -1],
    ['.5', 0.5],
  ])('reads %j', (text, value) => {
    expect(parseNumber('--lr', text)).toBe(value);
  });
  it.each(['2.5', '0', '-1', 'abc', '', '1e99'])('refuses %j as a count', (text) => {
    // Catches: half an epoch, a batch of nothing.
    expect(() => parseInteger('--epochs', text, 1)).toThrow('--epochs: must be an integer ≥ 1');
  });
});

describe('strategyOf', () => {
  it('tells the weight from the options', () => {
    // Catches: "weight" handed to the strategy as an option.
    expect(parseStrategy('logit:temperature=4,weight=0.7')).toEqual({
      use: 'logit',
      weight: 0.7,
      options: { temperature: 4 },
    });
  });
  it('takes a bare name', () => {
    expect(parseStrategy('cosine')).toEqual({ use: 'cosine' });
  });
  it('keeps commas inside brackets', () => {
    // Catches: a layer map cut in two.
    expect(parseStrategy('attention:layers={"0":0,"1":0},as=maps,reduce=sum')).toEqual({
      use: 'attention',
      as: 'maps',
      options: { layers: { 0: 0, 1: 0 }, reduce: 'sum' },
    });
  });
  it.each([
    ['', 'needs a name'],
    [':weight=1', 'needs a name'],
    ['logit:', '"" is not key=value'],
    ['logit:temperature', '"temperature" is not key=value'],
    ['logit:weight=-1', 'the weight must be a number ≥ 0, not -1'],
    ['logit:weight=much', 'the weight must be a number ≥ 0, not "much"'],
    ['logit:weight=1,weight=2', '"weight" twice'],
  ])('refuses %j', (text, message) => {
    expect(() => parseStrategy(text)).toThrow(message);
  });
});

describe('--set', () => {
  it.each([
    ['a.b=2e-3', ['a', 'b'], 2e-3],
    ['a=true', ['a'], true],
    ['a={"x":[1]}', ['a'], { x: [1] }],
    ['a=b=c', ['a'], 'b=c'],
    ['a=', ['a'], ''],
  ])('reads %s', (text, path, value) => {
    expect(parseAssignment(text)).toEqual({ path, value });
  });
  it.each(['a', '=1', 'a..b=1', '.a=1'])('refuses %s', (text) => {
    expect(() => parseAssignment(text)).toThrow('--set: must be path=value');
  });
  it('replaces one value and leaves the document as it was', () => {
    const document = { a: { b: 1, c: [{ d: 1 }, { d: 2 }] } };
    expect(setAt(document, ['a', 'c', '1', 'd'], 3)).toEqual({
      a: { b: 1, c: [{ d: 1 }, { d: 3 }] },
    });
    expect(setAt(document, ['a', 'new', 'key'], 3)).toEqual({
      a: { ...document.a, new: { key: 3 } },
    });
    expect(document.a.c[1]).toEqual({ d: 2 });
  });
  it('goes neither through numbers nor past a list’s end', () => {
    // Catches: {"0": …} silently made of a number or a list.
    expect(() => setAt({ a: 1 }, ['a', 'b'], 2)).toThrow('--set a.b: 1 has no "b" inside it');
    expect(() => setAt({ a: [1] }, ['a', '1'], 2)).toThrow('unknown entry in --set a.1 "1"');
    expect(() => setAt({}, ['__proto__', 'x'], 2)).toThrow('unknown key');
  });

  const clip = { kind: 'optimizer', name: 'clip', summary: 'For the test.', create: () => {} };
  const options = { type: 'object', properties: { weightDecay: {}, most: {} } };
  const registry = createRegistry([
    optim,
    {
      ...{ name: 'grok-clip', version: '1.2.3', core: '>=0.1.0 <1' },
      components: [{ ...clip, options } as never],
    },
  ]);
  const lay = (...texts: string[]) =>
    changed(
      { optimizer: { use: 'adamw', options: { learningRate: 1, weightDecay: 2, warmup: 3 } } },
      texts.map(parseAssignment),
      registry,
    ).optimizer;
  it('of a name leaves behind the options that the new one does not have', () => {
    // Catches: the preset's learning rate handed to an optimizer that knows none.
    expect(lay('optimizer.use=clip')).toEqual({ use: 'clip', options: { weightDecay: 2 } });
    expect(lay('optimizer.use=hard')).toEqual({ use: 'hard' });
    expect(lay('optimizer.use=unknown')).toMatchObject({ options: { warmup: 3 } });
    expect(lay('optimizer.use=adamw')).toMatchObject({ options: { warmup: 3 } });
  });
  it('of a name keeps what is asked for, before it and after it', () => {
    // Catches: --lr forgotten without a word; options that depend on the order of flags.
    const most = 'optimizer.options.most=4';
    const both = { use: 'clip', options: { weightDecay: 2, most: 4 } };
    expect(lay(most, 'optimizer.use=clip')).toEqual(both);
    expect(lay('optimizer.use=clip', most)).toEqual(both);
    expect(lay('optimizer.options.learningRate=5', 'optimizer.use=clip')).toEqual({
      use: 'clip',
      options: { weightDecay: 2, learningRate: 5 },
    });
    expect(lay('optimizer.use=clip', 'optimizer.use=adamw')).toMatchObject({
      options: { warmup: 3 },
    });
  });
});
