/** What JSON's own parser does not tell of a text: where a key stands, what is lost of a number, how deep it goes. */
import { truncate } from './errors.js';

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
/** Levels of lists and objects; what reads documents calls itself once for each. */
const DEEPEST = 100;

interface Level {
  /** The key or index that is being read. */
  key: string;
  readonly list: boolean;
  /** The next string of an object is a key. */
  atKey: boolean;
}

/** The line (from 1) of the value at `path` in well-formed JSON; of its nearest parent where it is missing. */
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

/** Why a text that JSON can hold is not taken: a number that would be read as 0 or infinity, or too many levels. */
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

/** Whether a number as it is written is 0 or infinite only once it is read. */
function isLost(token: string): boolean {
  const [, digits] = /^[-+]?([\d.]+)(?:e[-+]?\d+)?$/i.exec(token) ?? [];
  if (digits === undefined) return false;
  const value = Number(token);
  return Math.abs(value) === Number.POSITIVE_INFINITY || (value === 0 && /[1-9]/.test(digits));
}

/** Reads a token; true for a key or a value: a key is where its value is, for who looks for the line. */
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

/** The place at `index`, where it lies on the path and further along it than the last one did. */
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
