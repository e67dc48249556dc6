/** What `create` of a plugin may give back, and how long it may take: a fault is told by the plugin's name. */
import { InputError, isInputError, isRunError } from './errors.js';
import { within } from './patience.js';
import type { Created, Kind } from './types.js';

/** Milliseconds that an asynchronous `create` may take; a browser may have a runtime to fetch. */
export const PATIENCE = 300_000;

/** Functions and other members that each product must have; `call`: it is a function itself. */
const MEMBERS: Readonly<Record<Kind, Readonly<Record<string, string>> | 'call'>> = {
  backend: {
    ...{ name: 'string', device: 'string', capabilities: 'object', upload: 'function' },
    ...{ read: 'function', free: 'function', compile: 'function', dispose: 'function' },
  },
  model: 'call',
  optimizer: { init: 'function', update: 'function', elementwise: 'boolean' },
  probe: { needs: 'object', on: 'function' },
  split: 'call',
  strategy: 'call',
  task: { vocabulary: 'number', inputs: 'object', labels: 'object', show: 'function' },
  tracker: 'call',
};

/**
 * Calls `create` and checks its product; `subject` names the provision and its package.
 * @throws InputError when it throws or its product lacks something; a promise fails with RunError when
 * nothing comes within `patience` milliseconds. What never returns cannot be stopped from inside.
 */
export function guardedCreate<K extends Kind>(
  subject: string,
  kind: K,
  create: () => Created[K],
  patience: number = PATIENCE,
): Created[K] {
  let made: Created[K];
  try {
    made = create();
  } catch (error) {
    throw told(subject, error);
  }
  if (!(made instanceof Promise)) return checked(subject, kind, made);
  const later: Promise<unknown> = inTime<unknown>(subject, made, patience);
  return later.then((it): unknown => checked(subject, kind, it as Created[K])) as Created[K];
}

function checked<K extends Kind>(subject: string, kind: K, made: Created[K]): Created[K] {
  const members = MEMBERS[kind];
  if (members === 'call') {
    if (typeof made === 'function') return made;
    throw new InputError(`${subject}: create must return a function, got ${nameOfType(made)}`);
  }
  if (typeof made !== 'object' || made === null)
    throw new InputError(`${subject}: create must return an object, got ${nameOfType(made)}`);
  for (const [key, type] of Object.entries(members)) {
    const member = (made as unknown as Record<string, unknown>)[key];
    if (nameOfType(member) !== type)
      throw new InputError(
        `${subject}: create must return an object whose "${key}" is of type ${type}, got ${nameOfType(member)}`,
      );
  }
  return made;
}

const nameOfType = (value: unknown): string => (value === null ? 'null' : typeof value);

async function inTime<T>(subject: string, made: Promise<T>, patience: number): Promise<T> {
  try {
    return await within(
      made,
      patience,
      (seconds) => `${subject}: create gave nothing within ${seconds} s; leave it out`,
    );
  } catch (error) {
    throw told(subject, error);
  }
}

/** Errors for people pass; anything else is told by who threw it. */
function told(subject: string, error: unknown): unknown {
  if (isInputError(error) || isRunError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new InputError(`${subject}: create failed: ${message}`, { cause: error });
}
