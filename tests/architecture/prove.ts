/** Tests an architecture rule on examples: a faulty one is reported, a correct one is not. */
import { describe, expect, test } from 'vitest';
import { type File, type Rule, show } from './files.js';

/** The rule, a description of the example, its files, and what the message must contain. */
export type Faulty = readonly [rule: Rule, what: string, files: readonly File[], says: string];
/** The rule, a description of the example, and its files. */
export type Sound = readonly [rule: Rule, what: string, files: readonly File[]];

/** A package `@grok/NAME` with one source file. */
export function pkg(
  folder: string,
  source: string,
  manifest: object = {},
  path = 'src/index.ts',
): File[] {
  const name = `@grok/${folder.split('/')[1]}`;
  return [
    {
      path: `${folder}/package.json`,
      text: JSON.stringify({ name, version: '0.1.0', ...manifest }),
    },
    { path: `${folder}/${path}`, text: source },
  ];
}
export const peers = { '@grok/core': '>=0.1.0 <1', '@grok/tfjs': '>=0.1.0 <1' };
export const dev = { '@grok/core': 'workspace:^', '@grok/tfjs': 'workspace:^' };

/** Registers a test for each example. */
export function prove(faulty: readonly Faulty[], sound: readonly Sound[]): void {
  describe('a faulty example is reported', () => {
    for (const [rule, what, files, says] of faulty)
      test(what, () => expect(rule(files).map(show).join('\n')).toContain(says));
  });
  describe('a correct example is accepted', () => {
    for (const [rule, what, files] of sound)
      test(what, () => expect(rule(files).map(show)).toEqual([]));
  });
}
