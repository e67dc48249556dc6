/** Names that every JavaScript object inherits work like any other name. */
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore, type Store } from '@grok/core';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import metrics from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';
import { buildReport, studyTable } from '@grok/report';
import { checkPlan, inlineExecutor, isFinished, merge, runStudy, summarize } from '@grok/study';
import { expect, it } from 'vitest';
import { tinyPlan } from './tiny-plan.js';

const registry = createRegistry([data, model, optim, wasm, metrics, logit]);
const terms = [
  { use: 'hard', as: 'constructor', weight: 0.5 },
  { use: 'logit', as: 'valueOf', weight: 0.5 },
];
const plan = checkPlan(
  {
    ...tinyPlan,
    shared: { ...tinyPlan.shared, probes: [{ use: 'score', as: 'toString' }] },
    teachers: { isPrototypeOf: {} },
    arms: {
      none: {},
      hasOwnProperty: { objective: terms, teachers: { teacher: 'isPrototypeOf' } },
      constructor: { objective: terms, teacher: 'hasOwnProperty' },
    },
    seeds: [0],
    overrides: { valueOf: {}, toString: { shared: { splitSeed: 3 } } },
    family: ['constructor'],
  },
  'plan',
);

it('arms, teachers, terms, probes and overrides may have names that every object inherits', async () => {
  const stores = new Map<string, Store>();
  const open = (name: string): Store => {
    const store = stores.get(name) ?? memoryStore(name);
    stores.set(name, store);
    return store;
  };
  const executor = inlineExecutor({ registry, open });
  const defaults = { backend: 'wasm' };
  const root = memoryStore('study');
  const found = await runStudy(plan, { registry, root, open, executor, defaults });
  expect(found.status).toBe('finished');
  const runs = found.runs.filter(isFinished);
  expect(runs).toHaveLength(10);
  for (const { history } of runs.filter(({ role }) => role === 'student'))
    for (const row of history) {
      // Catches: a sum that starts from an inherited function, which makes the term NaN from the
      // first epoch.
      expect(Object.keys(row.terms)).toEqual(['constructor', 'valueOf']);
      for (const value of Object.values(row.terms)) expect(value).toBeGreaterThan(0);
    }
  const markdown = studyTable(plan, runs, { style: 'markdown', times: false });
  expect(markdown).toContain('| toString/constructor ');
  const statistics = { summary: summarize(plan, runs), text: '', markdown };
  const about = { title: 't', summary: 's', command: 'c', analyses: [] };
  // Catches: "Operator not defined: undefined" from Vega, which takes such a label for a signal.
  const { files } = await buildReport({ ...about, runs, statistics });
  expect(files['figures/figure-3.svg']).toContain('valueOf/constructor');
  const bare = runs.filter(({ override }) => override === 'valueOf');
  const plain = bare.map(({ override: _, ...run }) => run);
  expect((await buildReport({ ...about, runs: plain })).files['figures/figure-1.svg']).toMatch(
    />constructor\u2060?</,
  );
});

it('merging objects reads own properties only', () => {
  const over = { model: { options: { constructor: { depth: 1 } } } };
  expect(merge({ model: { options: {} } }, over)).toEqual(over);
  expect(merge({ toString: { a: 1 } }, { toString: { b: 2 } })).toEqual({
    toString: { a: 1, b: 2 },
  });
});
