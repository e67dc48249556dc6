/** Describes a JSON Schema in words, and its keys as table rows. */

/** @typedef {{ [key: string]: any }} Schema */

/** Upper bounds from here on are only those of the type. */
const UNBOUNDED = 2 ** 31 - 1;

/** Describes the allowed values, such as `integer ≥ 1 or "full"`. @param {Schema} schema @returns {string} */
export function inWords(schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined)
    return schema.enum.map((/** @type {unknown} */ x) => JSON.stringify(x)).join(' or ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(inWords))].join(' or ');
  switch (schema.type) {
    case 'integer':
    case 'number':
      return [schema.type, ...bounds(schema)].join(' ');
    case 'array':
      return `list of ${inWords(schema.items ?? {})}`;
    case 'object':
      return objectInWords(schema);
    default:
      return schema.type ?? 'JSON';
  }
}

/** @param {Schema} schema @returns {string[]} */
function bounds({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }) {
  const words = [];
  if (minimum > -UNBOUNDED) words.push(`≥ ${minimum}`);
  if (exclusiveMinimum !== undefined) words.push(`> ${exclusiveMinimum}`);
  if (maximum < UNBOUNDED) words.push(`≤ ${maximum}`);
  if (exclusiveMaximum !== undefined) words.push(`< ${exclusiveMaximum}`);
  return words.length === 0 ? [] : [words.join(', ')];
}

/** @param {Schema} schema */
function objectInWords({ properties, additionalProperties }) {
  if (properties !== undefined) return `{ ${Object.keys(properties).join(', ')} }`;
  const value = inWords(additionalProperties || {});
  return value === 'JSON' ? 'object' : `object of ${value} by name`;
}

/**
 * The keys of an object, including nested ones, as rows: key, value, meaning.
 * @param {Schema} schema @param {ReadonlyMap<string, string>} docs meanings by key @param {number}
 * [depth] levels of nesting
 * @returns {string[][]}
 */
export function listRows({ properties = {}, required = [] }, docs, depth = 1) {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const means = docs.get(key) ?? schema.description ?? '';
    const must = required.includes(key) ? 'Required. ' : '';
    const initial =
      schema.default === undefined ? '' : `Default: \`${JSON.stringify(schema.default)}\`. `;
    const [inner, at] = findInside(schema);
    const below = depth === 0 || inner === undefined ? [] : listRows(inner, new Map(), depth - 1);
    return [
      [key, inWords(schema), `${must}${initial}${sentence(means)}`.trim()],
      ...below.map(([name, ...rest]) => [`${key}${at}.${name}`, ...rest]),
    ];
  });
}

/** The object inside a schema, and the path to it. @param {Schema} schema @returns {[Schema | undefined, string]} */
function findInside(schema) {
  if (schema.properties !== undefined) return [schema, ''];
  if (schema.items?.properties !== undefined) return [schema.items, '[]'];
  if (schema.additionalProperties?.properties !== undefined)
    return [schema.additionalProperties, '.NAME'];
  return [undefined, ''];
}

/** A description as a sentence. @param {string} text */
export const sentence = (text) => {
  const one = text.replace(/\s+/g, ' ').trim();
  return one === ''
    ? ''
    : `${one[0]?.toUpperCase()}${one.slice(1)}${/[.:!?]$/.test(one) ? '' : '.'}`;
};
