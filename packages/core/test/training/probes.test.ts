/** The cost of probes in a run. */
import { defineBackend, definePlugin, defineProbe, schema, tfjsAdapter } from '@grok/core';
import { expect, it } from 'vitest';
import { smallRegistry, trainSmall } from '../helpers/small.js';

const compiled: string[] = [];
const counting = defineBackend({
  name: 'counting',
  summary: 'Notes what is compiled.',
  options: schema({}),
  async create() {
    const adapter = await tfjsAdapter({ tfjs: 'cpu', device: 'cpu', threads: 1, bitExact: true });
    const compile: typeof adapter.compile = (name, ...rest) => {
      compiled.push(name);
      return adapter.compile(name, ...rest);
    };
    return { ...adapter, compile };
  },
});
const looking = defineProbe({
  name: 'looking',
  summary: 'Looks at a site and at gradients after every epoch.',
  options: schema({}),
  create: () => ({
    needs: { sites: ['hidden'], gradients: { batches: 2 } },
    when: { every: 1 },
    on: ({ sites, gradients }) => [Object.keys(sites), gradients?.hardLoss.length ?? 0],
  }),
});

it('a probe that runs every epoch is compiled once per run', async () => {
  // Catches: programs compiled again for each snapshot, which costs more than the snapshot.
  const registry = smallRegistry(
    definePlugin({ name: 'own', version: '1.0.0', core: '*', components: [counting, looking] }),
  );
  const { history } = await trainSmall(
    { probes: [{ use: 'looking' }] },
    { registry, how: { backend: 'counting' } },
  );
  expect(history).toHaveLength(4);
  for (const { probes } of history) expect(probes?.looking).toEqual([['hidden'], 2]);
  const count = (prefix: string) => compiled.filter((name) => name.startsWith(prefix)).length;
  expect([count('sites'), count('gradients')]).toEqual([1, 1]);
});
