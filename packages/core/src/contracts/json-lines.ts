/** Finds what JSON.parse does not report: the line of a key, numbers that lose their value, and the nesting depth. */
import { truncate } from './errors.js';

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
/** Most levels of lists and objects; readers of documents recurse once per level. */
const DEEPEST = 100;

interface Level {
  /** The key or index being read. */
  key: string;
  readonly list: boolean;
  /** Whether the next string is a key of an object. */
  atKey: boolean;
}

/** The line (from 1) of the value at `path` in well-formed JSON, or of its nearest parent when it is missing. */
export function findLine(text: string, path: readonly string[]): number {
  const levels: Level[] = [];
  let deepest = -1;
  let found = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (moveTo(levels, token)) [deepest, found] = deeper(levels, path, [deepest, found], index);
    if (token === '{') levels.push({ key: '', list: false, atKey: true });
    if (token === '[') levels.push({ key: '0', list: true, atKey: false });
  }
  return text.slice(0, found).split('\n').length;
}

/** Why valid JSON is rejected: a number that would be read as 0 or infinity, or too many levels. */
export function findTextFault(text: string): string | undefined {
  let depth = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
    if (depth > DEEPEST) return `must be nested at most ${DEEPEST} levels deep`;
    if (isLost(token)) {
      const [size, read] = Number(token) === 0 ? ['small', '0'] : ['large', 'infinity'];
      return `${truncate(token, 40)} is too ${size} for a float64: it would be read as ${read}`;
    }
  }
  return undefined;
}

/** Whether a written number becomes 0 or infinity when parsed. */
function isLost(token: string): boolean {
  const [, digits] = /^[-+]?([\d.]+)(?:e[-+]?\d+)?$/i.exec(token) ?? [];
  if (digits === undefined) return false;
  const value = Number(token);
  return Math.abs(value) === Number.POSITIVE_INFINITY || (value === 0 && /[1-9]/.test(digits));
}

/** Reads a token and returns whether it starts a key or a value; a key has the line of its value. */
function moveTo(levels: Level[], token: string): boolean {
  const level = levels.at(-1);
  if (token === ':') return false;
  if (token === '}' || token === ']') {
    levels.pop();
    return false;
  }
  if (token === ',') {
    if (level?.list === true) level.key = String(Number(level.key) + 1);
    else if (level !== undefined) level.atKey = true;
    return false;
  }
  if (level?.atKey === true) {
    level.key = String(JSON.parse(token));
    level.atKey = false;
  }
  return true;
}

/** The position at `index`, if it is on the path and deeper than the last match. */
function deeper(
  levels: readonly Level[],
  path: readonly string[],
  before: readonly [depth: number, index: number],
  index: number,
): [depth: number, index: number] {
  const onPath =
    levels.length <= path.length && levels.every(({ key }, depth) => key === path[depth]);
  return onPath && levels.length > before[0] ? [levels.length, index] : [...before];
}
