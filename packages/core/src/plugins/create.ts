/**
 * Checks what a plugin's `create` returns, what its result returns when it is a function, and how
 * long it takes. Errors name the plugin.
 */
import { InputError } from '../contracts/errors.js';
import type { Created, Kind } from '../contracts/types.js';
import { attributeError, attributeErrors } from './attribution.js';
import { withTimeout } from './timeout.js';

/** Milliseconds that an asynchronous `create` may take; a browser may have to download a runtime. */
export const CREATE_TIMEOUT = 300_000;

/** Types of members, by name. */
type Members = Readonly<Record<string, string>>;

/** Members that each kind of product must have; `call` means that it is a function itself. */
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

/** Names and required members of what function products return; a tracker is checked by the run that it follows. */
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
 * @throws InputError when `create` throws or its product lacks a member. A product that is a
 * function is checked the same way when it is called; a promise rejects with RunError after
 * `timeout` milliseconds. A function that never returns cannot be stopped from inside.
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
    created.catch(() => {}); // the error below already says that it is a promise
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
