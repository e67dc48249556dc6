/**
 * What `create` of a plugin may give back, and what that gives when it is a function; how long it may
 * take. A fault is told by the plugin's name.
 */
import { InputError } from '../contracts/errors.js';
import type { Created, Kind } from '../contracts/types.js';
import { attributeError, attributeErrors } from './attribution.js';
import { withTimeout } from './timeout.js';

/** Milliseconds that an asynchronous `create` may take; a browser may have a runtime to fetch. */
export const CREATE_TIMEOUT = 300_000;

/** Types of members by name. */
type Members = Readonly<Record<string, string>>;

/** Functions and other members that each product must have; `call`: it is a function itself. */
const MEMBERS: Readonly<Record<Kind, Members | 'call'>> = {
  backend: {
    ...{ device: 'string', capabilities: 'object', upload: 'function', read: 'function' },
    ...{ release: 'function', compile: 'function', dispose: 'function' },
  },
  executor: 'call',
  exporter: 'call',
  model: 'call',
  optimizer: { init: 'function', update: 'function', elementwise: 'boolean' },
  probe: { needs: 'object', on: 'function' },
  split: 'call',
  store: 'call',
  strategy: 'call',
  task: { vocabulary: 'number', inputs: 'object', labels: 'object', show: 'function' },
  tracker: 'call',
  transform: 'call',
};

const MODEL: Members = {
  ...{ shape: 'object', keepProbability: 'number', init: 'function', sites: 'function' },
  ...{ dropoutMaskShapes: 'function', apply: 'function' },
};

/** What products that are functions are called, and what they must give; a tracker is watched by the run that it follows. */
const RESULTS: Readonly<Partial<Record<Kind, readonly [who: string, members: Members]>>> = {
  executor: [
    'its factory',
    {
      ...{ name: 'string', slots: 'number', submit: 'function', watch: 'function' },
      ...{ cancel: 'function', collect: 'function', dispose: 'function' },
    },
  ],
  model: ['its factory', MODEL],
  split: ['its function', { train: 'object', validation: 'object' }],
  store: [
    'its function',
    {
      ...{ where: 'string', read: 'function', write: 'function', append: 'function' },
      ...{ truncate: 'function', list: 'function', remove: 'function', lease: 'function' },
    },
  ],
  strategy: ['its objective', { needs: 'object', loss: 'function' }],
  transform: ['its function', MODEL],
};

/**
 * Calls `create` and checks its product; `subject` names the component and its package.
 * @throws InputError when it throws or its product lacks something, and so does a product that is a
 * function when it is called; a promise fails with RunError when nothing comes within `timeout`
 * milliseconds. What never returns cannot be stopped from inside.
 */
export function guardedCreate<K extends Kind>(
  subject: string,
  kind: K,
  create: () => Created[K],
  timeout: number = CREATE_TIMEOUT,
): Created[K] {
  const created = attributeErrors(`${subject}: create failed`, create, InputError);
  if (!(created instanceof Promise)) return checked(subject, kind, created);
  if (kind !== 'backend') {
    created.catch(() => {}); // that it is a promise says all
    throw new InputError(
      `${subject}: create() must return its result, got a promise; only a backend may be created asynchronously`,
    );
  }
  const later: Promise<unknown> = inTime<unknown>(subject, created, timeout);
  return later.then((it): unknown => checked(subject, kind, it as Created[K])) as Created[K];
}

function checked<K extends Kind>(subject: string, kind: K, created: Created[K]): Created[K] {
  const members = MEMBERS[kind];
  if (members !== 'call') return withMembers(subject, 'create', members, created);
  if (typeof created !== 'function')
    throw new InputError(`${subject}: create() must return a function, got ${nameOfType(created)}`);
  const result = RESULTS[kind];
  if (result === undefined) return created;
  const [who, parts] = result;
  const call = created as (...given: unknown[]) => unknown;
  const guarded = (...given: unknown[]): unknown =>
    withMembers(
      subject,
      who,
      parts,
      attributeErrors(`${subject}: ${who} failed`, () => call(...given), InputError),
    );
  // What else the function has, such as an executor's `serve`.
  return Object.assign(guarded, created) as Created[K];
}

function withMembers<T>(subject: string, who: string, members: Members, created: T): T {
  if (typeof created !== 'object' || created === null)
    throw new InputError(`${subject}: ${who} must return an object, got ${nameOfType(created)}`);
  for (const [key, type] of Object.entries(members)) {
    const member = (created as Record<string, unknown>)[key];
    if (nameOfType(member) !== type)
      throw new InputError(
        `${subject}: ${who} must return an object whose "${key}" is of type ${type}, got ${nameOfType(member)}`,
      );
  }
  return created;
}

const nameOfType = (value: unknown): string => (value === null ? 'null' : typeof value);

async function inTime<T>(subject: string, created: Promise<T>, timeout: number): Promise<T> {
  try {
    return await withTimeout(
      created,
      timeout,
      (seconds) =>
        `${subject}: create() timed out after ${seconds} s; remove it from the run, or fix it`,
    );
  } catch (error) {
    throw attributeError(`${subject}: create failed`, error, InputError);
  }
}
