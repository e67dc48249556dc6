/** Checks a plugin: its shape, and the range of core versions that it supports. */
import Range from 'semver/classes/range.js';
import { InputError } from '../contracts/errors.js';
import type { Kind, Plugin } from '../contracts/types.js';

/** Version of this core; plugins state the range of versions that they support. */
export const coreVersion = '0.1.0';

const KINDS: Record<Kind, true> = {
  backend: true,
  executor: true,
  exporter: true,
  model: true,
  optimizer: true,
  probe: true,
  split: true,
  store: true,
  strategy: true,
  task: true,
  tracker: true,
  transform: true,
};

/** @throws InputError that names the plugin, what is wrong with it and what to do. */
export function checkPlugin(plugin: Plugin): void {
  const name = typeof plugin?.name === 'string' ? `plugin ${plugin.name}` : 'plugin';
  const wrong = (rule: string): InputError => new InputError(`${name}: ${rule}`);
  if (typeof plugin !== 'object' || plugin === null)
    throw wrong(`must be an object (its entry's default export), got ${typeof plugin}`);
  for (const key of ['name', 'version', 'core'] as const)
    if (typeof plugin[key] !== 'string') throw wrong(`needs a string "${key}"`);
  if (!Array.isArray(plugin.components)) throw wrong('needs a list "components"');
  const fits = inRange(plugin.core);
  if (fits === undefined)
    throw wrong(
      `"core" must be a range such as ">=${coreVersion} <1" or "*", got "${plugin.core}"`,
    );
  if (!fits)
    throw wrong(
      `requires @grok/core ${plugin.core}, this is ${coreVersion}; install a compatible version`,
    );
  plugin.components.forEach((item, i) => {
    const subject = `components[${i}]${typeof item?.name === 'string' ? ` ("${item.name}")` : ''}`;
    for (const key of ['kind', 'name', 'summary'] as const)
      if (typeof item?.[key] !== 'string') throw wrong(`${subject} needs a string "${key}"`);
    if (!Object.hasOwn(KINDS, item.kind))
      throw wrong(
        `${subject} has unknown kind "${item.kind}"; known: ${Object.keys(KINDS).join(', ')}`,
      );
    if (typeof item.create !== 'function') throw wrong(`${subject} needs a function "create"`);
    const schema: unknown = item.options;
    if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null)
      throw wrong(`${subject} needs "options": a Standard Schema or JSON Schema`);
  });
}

/** Whether this core is in an npm version range; undefined if the text is not a range. */
function inRange(range: string): boolean | undefined {
  try {
    return range.trim() === '' ? undefined : new Range(range).test(coreVersion);
  } catch {
    return undefined;
  }
}
