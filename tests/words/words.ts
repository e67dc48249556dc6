/** Checks the words of a file, one line per fault: names and phrases of `words.json`. */
import { readFileSync } from 'node:fs';
import { type ChosenName, readChosenNames } from './names.js';

interface Words {
  readonly names: Readonly<Record<string, string>>;
  readonly allowed: readonly { name: string; in: readonly string[]; why: string }[];
  readonly phrases: Readonly<Record<string, string>>;
}

export const words: Words = JSON.parse(
  readFileSync(new URL('./words.json', import.meta.url), 'utf8'),
);

/** Where functions must begin with a verb; scripts and benchmarks need not. */
const PRODUCT = /^(packages|apps|examples|tests)\//;
/** Parsing takes most of the time, so each file is parsed once. */
const parsed = new Map<string, readonly ChosenName[]>();

/** Names chosen by a file that mean nothing in the field. */
export function findBadNames(path: string, text: string, { names, allowed } = words): string[] {
  const key = `${path}\n${text}`;
  const chosen = parsed.get(key) ?? readChosenNames(path, text);
  parsed.set(key, chosen);
  return chosen.flatMap(({ name, line, isFunction }) => {
    const isAllowed = allowed.some(
      (each) => each.name === name && each.in.some((place) => path.startsWith(place)),
    );
    if (isAllowed) return [];
    if (isFunction && PRODUCT.test(path) && /[a-z]Of$/.test(name))
      return [
        `${path}:${line}: function "${name}": begin with a verb, such as read, compute, format`,
      ];
    const better = Object.hasOwn(names, name) ? names[name] : undefined;
    return better === undefined ? [] : [`${path}:${line}: "${name}": write ${better}`];
  });
}

/** Phrases that are hard to read, in code, templates and documents. */
export function findBadPhrases(path: string, text: string, { phrases } = words): string[] {
  return text.split('\n').flatMap((line, i) =>
    Object.entries(phrases)
      .filter(([phrase]) => line.includes(phrase))
      .map(([phrase, better]) => `${path}:${i + 1}: "${phrase}": write "${better}"`),
  );
}
