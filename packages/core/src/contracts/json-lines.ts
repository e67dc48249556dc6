/** Where in a JSON text a key stands: errors of documents name the line. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

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
