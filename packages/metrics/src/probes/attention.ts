/** Probes of attention patterns: their modes, and where the logits come from. */
import { type Component, defineProbe, integer, listOf, rng, schema, text } from '@grok/core';
import { mapTree } from '@grok/core/internal';
import { attentionFlow as computeFlow } from '../attention-flow.js';
import { attentionModes as findModes } from '../attention-modes.js';
import { groupByMeaning, type SiteOptions } from './inside.js';
import { toJson } from './json.js';
import { crossing, every, parseWhen, type WhenOptions } from './when.js';

/** Where patterns are, first layer first. */
const PATTERNS = 'blocks.*.attn.hook_pattern';

/** `attentionModes` of the last query by site, related to the label, a and b; at the end unless told otherwise. */
export const attentionModesProbe: Component<'probe', Partial<SiteOptions> & { modes?: number }> =
  defineProbe({
    name: 'attention-modes',
    summary: 'Clusters of attention patterns over inputs, and what they follow of the inputs.',
    options: schema({
      every,
      crossing,
      sites: listOf(text())
        .min(1)
        .default([PATTERNS])
        .describe('names of sites; `*` matches one part'),
      first: integer().positive().default(500).describe('number of validation rows'),
      modes: integer().min(2).optional().describe('number of modes'),
    }),
    create: ({ modes, ...options }) => ({
      needs: { sites: options.sites, rows: options.first },
      when: parseWhen('attention-modes', options, 'end'),
      on(snapshot) {
        const groupings = groupByMeaning(snapshot);
        const own = { rng: rng(0).split('attention-modes'), groupings };
        return toJson(
          mapTree(snapshot.sites, (pattern) =>
            findModes(pattern, modes === undefined ? own : { ...own, modes }),
          ),
        );
      },
    }),
  });

/** `attentionFlow` of all layers to the last position; at the end unless told otherwise. */
export const attentionFlowProbe: Component<'probe', WhenOptions & { first?: number }> = defineProbe(
  {
    name: 'attention-flow',
    summary: 'Attention rollout and flow from tokens through all layers to the logits.',
    options: schema({
      every,
      crossing,
      first: integer().positive().default(500).describe('number of validation rows'),
    }),
    create: (options) => ({
      needs: { sites: [PATTERNS], rows: options.first },
      when: parseWhen('attention-flow', options, 'end'),
      on: ({ sites }) => toJson(computeFlow(Object.values(sites))),
    }),
  },
);
