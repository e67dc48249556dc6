/** Matches TransformerLens 3.9.0 to 1e-4 on both backends with the same weights. */
import { takeRows } from '@grok/core/internal';
import {
  activationPatching,
  attributionPatching,
  directLogitAttribution,
  getActName,
  type Hook,
  logitLens,
  pathPatching,
} from '@grok/interp';
import { describe, expect, test } from 'vitest';
import { distance, FIXTURES, withModel } from './fixtures.js';
import { readFixture } from './read-fixture.js';

const CLOSE = 1e-4;
/** Sites with other names there. */
const NAMES: Readonly<Record<string, string>> = {
  'ln_final.hook_out': 'unembed.hook_in',
  'unembed.hook_logits': 'unembed.hook_out',
};

describe.each(FIXTURES)('%s', (name) => {
  const fixture = readFixture(name);
  const { get, names, pairs, layers, heads } = fixture;
  const last = layers - 1;
  const scalar = (name: string): number => get(name).data[0] ?? Number.NaN;

  describe.each(['onnx', 'wasm'])('on %s', (backend) => {
    test('every site has TransformerLens’s value', async () => {
      // Catches: a site with another name, layout or time; different rotary pairs, norms or masks.
      await withModel(fixture, backend, async (model) => {
        const { cache } = await model.runWithCache(takeRows(pairs.clean.inputs, [0, 1, 2]));
        const ours = new Map(
          Object.entries(cache).map(([site, { data }]) => [NAMES[site] ?? site, data]),
        );
        const theirs = names('cache/');
        // One site exists only here: the pooled positions from which the logits are computed.
        expect([...ours.keys()].filter((site) => !theirs.includes(site))).toEqual(['pooled']);
        for (const site of theirs)
          expect([site, distance(ours.get(site) ?? [], get(`cache/${site}`).data)]).toEqual([
            site,
            expect.toSatisfy((difference: number) => difference < CLOSE),
          ]);
      });
    });

    test('activation patching matches its grids', async () => {
      // Catches: clean and corrupted swapped, the wrong cell patched, more or fewer positions.
      await withModel(fixture, backend, async (model) => {
        for (const activation of names('sweep/')) {
          const grid = await activationPatching(model, { ...pairs, activation });
          expect(grid.shape).toEqual(get(`sweep/${activation}`).shape);
          expect([
            activation,
            distance(grid.values, get(`sweep/${activation}`).data) < CLOSE,
          ]).toEqual([activation, true]);
          expect(grid.clean).toBeCloseTo(scalar('clean_metric'), 4);
          expect(grid.corrupted).toBeCloseTo(scalar('corrupted_metric'), 4);
        }
        expect(names('sweep/')).toHaveLength(10);
      });
    });

    test('attribution patching matches its gradients', async () => {
      // Catches: gradients of the clean run, of the mean instead of each row, or at another site.
      await withModel(fixture, backend, async (model) => {
        for (const activation of names('attribution/')) {
          const grid = await attributionPatching(model, { ...pairs, activation });
          expect([
            activation,
            distance(grid.values, get(`attribution/${activation}`).data) < CLOSE,
          ]).toEqual([activation, true]);
        }
      });
    });

    test('path patching matches its metrics', async () => {
      // Catches: heads that are not frozen, MLPs frozen or not in the wrong case, a receiver that
      // sees everything.
      await withModel(fixture, backend, async (model) => {
        for (const path of names('path/')) {
          const [receiver = '', way] = path.split('/');
          const where = {
            site: getActName(receiver, last),
            ...(receiver === 'q' ? { head: heads - 1 } : {}),
          };
          const sender = { site: getActName('z', 0), head: 0 };
          const value = await pathPatching(model, {
            ...pairs,
            sender,
            receivers: [where],
            throughMlps: way === 'through',
          });
          expect(value).toBeCloseTo(scalar(`path/${path}`), 4);
        }
        expect(names('path/').length).toBe(layers > 1 ? 4 : 2);
      });
    });

    test('direct logit attribution and the logit lens match its values', async () => {
      // Catches: a norm's scale recomputed without the component, missing norm weights, a mid
      // stream read too early.
      await withModel(fixture, backend, async (model) => {
        const parts = await directLogitAttribution(model, pairs.clean);
        expect(
          distance(
            parts.map(({ value }) => value),
            get('dla').data,
          ),
        ).toBeLessThan(CLOSE);
        const total = parts.reduce((sum, { value }) => sum + value, 0);
        expect(total).toBeCloseTo(scalar('clean_metric'), 3);
        const lens = await logitLens(model, { ...pairs.clean });
        const first = lens.flatMap(({ logits }) => [...takeRows(logits, [0, 1, 2]).data]);
        expect(distance(first, get('lens').data)).toBeLessThan(CLOSE);
      });
    });

    test('hooks that zero, average, scale and add match its hooks', async () => {
      // Catches: a part treated as the whole, means over positions, changes of other rows.
      const [z, post, resid] = [
        getActName('z', last),
        getActName('post', 0),
        getActName('resid_pre', 0),
      ];
      const hooks: Readonly<Record<string, Hook>> = {
        zero_head: { site: z, head: heads - 1, ablate: 'zero' },
        mean_neurons: { site: post, neuron: [3, 4, 5, 6, 7, 8], ablate: 'mean' },
        scale_position: { site: resid, position: 2, scale: 0.5 },
        add: { site: resid, add: 0.25 },
        zero_pattern: { site: getActName('pattern', last), head: 0, query: -1, key: 1, replace: 0 },
      };
      await withModel(fixture, backend, async (model) => {
        expect(Object.keys(hooks).sort()).toEqual([...names('ablation/')].sort());
        for (const [name, hook] of Object.entries(hooks))
          expect(await model.measure(pairs.clean, 'logitDifference', [hook])).toBeCloseTo(
            scalar(`ablation/${name}`),
            4,
          );
      });
    });
  });
});
