/** Ways to damage a file: its bytes, its lines, and its JSON values. */

/** @typedef {import('./random.mjs').Random} Random */

/** JSON texts that replace a value. */
const VALUES = [
  ...[
    'null',
    'true',
    '[]',
    '{}',
    '""',
    '-0',
    '-1',
    '0.5',
    '1e999',
    '-1e999',
    '1e-400',
    '2147483648',
  ],
  ...['9007199254740993', '100003', '1e15', '"1"', '"NaN"', '"\\u0000\\u001b[31m"', '"\\ud800"'],
  ...['{"__proto__":{"x":1}}', '{"constructor":1}', '[[[[[[[[[[]]]]]]]]]]', '"../../x"'],
  ...[JSON.stringify(' '.repeat(20_000)), `[${'0,'.repeat(2000)}0]`],
];
const KEYS = [
  ...['__proto__', 'constructor', 'toString', 'valueOf', '', '10', '\u0000', '../x'],
  ' '.repeat(20_000),
];

/** Damages bytes of any kind. @param {Uint8Array} bytes @param {Random} draw */
export function mutateBytes(bytes, { below, pick }) {
  const at = below(bytes.length);
  const copy = Uint8Array.from(bytes);
  const some = below(Math.min(64, bytes.length - at)) + 1;
  return pick([
    () => copy.slice(0, at),
    () => copy.slice(at),
    () => flipped(copy, at, 1 << below(8)),
    () => flipped(copy, at, below(255) + 1),
    () => copy.fill(0, at, at + some),
    () => concat(copy.slice(0, at), copy.slice(at + some)),
    () => concat(copy.slice(0, at + some), copy.slice(at)),
    () => concat(copy, copy),
    () => new Uint8Array(),
  ])();
}

/** Damages a value of a JSON document, or of one line of JSON Lines. @param {Uint8Array} bytes @param {Random} draw */
export function mutateJson(bytes, draw) {
  const lines = new TextDecoder().decode(bytes).split('\n');
  const filled = lines.flatMap((line, i) => (line.trim() === '' ? [] : [i]));
  const isLines = filled.length > 1 && lines[0]?.endsWith('}');
  if (!isLines) return encode(mutateValue(lines.join('\n'), draw));
  const i = draw.pick(filled);
  const line = lines[i] ?? '';
  draw.pick([
    () => lines.splice(i, 1),
    () => lines.splice(i, 0, line),
    () => lines.splice(i, 0, ''),
    () => lines.reverse(),
    ...Array.from({ length: 6 }, () => () => lines.splice(i, 1, mutateValue(line, draw))),
  ])();
  return encode(lines.join('\n'));
}

/** A JSON text with one value, key or member changed. @param {string} text @param {Random} draw */
function mutateValue(text, draw) {
  const MARK = '\u2021';
  /** @type {{ holder: any, key: string }[]} */
  const places = [];
  const visit = (/** @type {any} */ holder) => {
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      if (typeof holder[key] === 'object' && holder[key] !== null) visit(holder[key]);
    }
  };
  const root = { value: JSON.parse(text) };
  visit(root);
  const { holder, key } = draw.pick(places);
  const value = draw.pick(VALUES);
  const was = JSON.stringify(holder[key]);
  const change = Array.isArray(holder) || holder === root ? draw.below(2) : draw.below(5);
  if (change === 2) delete holder[key];
  else holder[key] = MARK;
  const marked = JSON.stringify(root.value) ?? '';
  const quoted = JSON.stringify(MARK);
  const named = JSON.stringify(draw.pick(KEYS));
  // As text, since the value may be a number that JSON.stringify would not write.
  if (change === 3) return marked.replace(quoted, () => `${was},${named}:${value}`);
  if (change === 4) return marked.replace(quoted, () => `${was},${JSON.stringify(key)}:${value}`);
  return marked.replace(quoted, () => value);
}

/** @param {Uint8Array} bytes @param {number} at @param {number} bits */
function flipped(bytes, at, bits) {
  bytes[at] = (bytes[at] ?? 0) ^ bits;
  return bytes;
}
/** @param {...Uint8Array} parts */
function concat(...parts) {
  return Uint8Array.from(Buffer.concat(parts));
}
/** @param {string} text */
const encode = (text) => new TextEncoder().encode(text);
