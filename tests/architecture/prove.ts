/** Proves a rule of the architecture on examples: a faulty one is named, a sound one left alone. */
import { describe, expect, test } from 'vitest';
import { type File, type Rule, show } from './files.js';

/** Rule, what the example is, its files, and what the message must say. */
export type Faulty = readonly [rule: Rule, what: string, files: readonly File[], says: string];
/** Rule, what the example is, and its files. */
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

/** Declares a test for each example. */
export function prove(faulty: readonly Faulty[], sound: readonly Sound[]): void {
  describe('a faulty example is named', () => {
    for (const [rule, what, files, says] of faulty)
      test(what, () => expect(rule(files).map(show).join('\n')).toContain(says));
  });
  describe('a sound example is left alone', () => {
    for (const [rule, what, files] of sound)
      test(what, () => expect(rule(files).map(show)).toEqual([]));
  });
}
