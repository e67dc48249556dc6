/**
 * Preloaded (`node --import`): counts this process's file operations below GROK_TORTURE_ROOT, and
 * at the n-th ends the process or makes the call fail. GROK_TORTURE is "HOW N": `kill`, `torn`
 * (writes half, then ends), `count`, or a code such as EIO. A code with a + fails from the n-th
 * change on. GROK_TORTURE_LOG names a file to which each process appends a line: `killed`, or its
 * number of calls.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const root = process.env.GROK_TORTURE_ROOT ?? '';
const [how = 'count', at = '0'] = (process.env.GROK_TORTURE ?? '').split(' ');
const target = Number(at);
/** Calls that change something; other calls can end the process but do not fail. */
const CHANGES =
  /^(write|append|mkdir|rename|link|unlink|rm|rmdir|truncate|ftruncate|fsync|fdatasync|sync|datasync|utimes|futimes|copyFile|symlink)/;
const WRITES = /^(write|writeFile|appendFile)(Sync)?$/;
/** Open files below the root: descriptors and handles. */
const ours = new Set();
let count = 0;

/** @param {string} name @param {unknown[]} args @param {boolean} isChange */
function step(name, args, isChange) {
  const failing = how.startsWith('E');
  if (failing && !isChange) return;
  count++;
  const hit = how.endsWith('+') ? count >= target : count === target;
  if (!hit || how === 'count') return;
  if (how === 'kill' || (how === 'torn' && !WRITES.test(name))) die();
  if (failing) {
    const code = how.replace('+', '');
    const path = typeof args[0] === 'string' ? ` '${args[0]}'` : '';
    throw Object.assign(new Error(`${code}: made up, ${name}${path}`), { code, syscall: name });
  }
}

/** The original, before any of its names is wrapped. */
const { appendFileSync } = fs;
/** @param {string} line */
function log(line) {
  if (process.env.GROK_TORTURE_LOG) appendFileSync(process.env.GROK_TORTURE_LOG, `${line}\n`);
}
function die() {
  log('killed');
  process.kill(process.pid, 'SIGKILL');
}

/** @param {any} data */
const halfOf = (data) =>
  typeof data === 'string'
    ? data.slice(0, data.length >> 1)
    : data.subarray(0, data.byteLength >> 1);

/**
 * Writes half, then ends the process. @param {any} self @param {any[]} args @param {(...args:
 * any[]) => any} original @param {number} payload
 */
function tear(self, args, original, payload) {
  const halved = [...args];
  halved[payload] = halfOf(args[payload]);
  const done = original.apply(self, halved);
  return done instanceof Promise ? done.then(die) : die();
}

/**
 * @param {string} name @param {(...args: any[]) => any} original @param {(self: any, args: any[])
 * => boolean} concerns
 * @param {number} payload index of the argument that is written
 */
function wrapped(name, original, concerns, payload) {
  const opens = name.startsWith('open');
  /** @this {any} @param {any[]} args */
  return function (...args) {
    if (!concerns(this, args)) return original.apply(this, args);
    try {
      step(name, args, CHANGES.test(name) || (opens && /[wa+]/.test(String(args[1]))));
    } catch (error) {
      if (name.endsWith('Sync')) throw error;
      return Promise.reject(error);
    }
    if (how === 'torn' && count === target && WRITES.test(name))
      return tear(this, args, original, payload);
    return watched(name, original.apply(this, args));
  };
}

/** Remembers an opened file. @param {string} name @param {any} result */
function watched(name, result) {
  if (name === 'openSync') ours.add(result);
  if (name !== 'open') return result;
  return result.then((/** @type {any} */ handle) => {
    ours.add(handle).add(handle.fd);
    return handle;
  });
}

/** @param {unknown} path */
const isBelow = (path) => root !== '' && String(path).startsWith(root);
/** @param {any} _ @param {any[]} args */
const byPath = (_, args) => isBelow(args[0]) || ours.has(args[0]);
const NAMES = [
  ...['open', 'writeFile', 'appendFile', 'readFile', 'mkdir', 'rename', 'link', 'unlink', 'rm'],
  ...['rmdir', 'truncate', 'utimes', 'copyFile', 'symlink', 'stat', 'lstat', 'readdir', 'access'],
];
/** @type {Record<string, any>} */
const promises = fs.promises;
/** @type {Record<string, any>} */
const all = fs;
for (const name of NAMES) {
  promises[name] = wrapped(name, promises[name], byPath, 1);
  all[`${name}Sync`] = wrapped(`${name}Sync`, all[`${name}Sync`], byPath, 1);
}
for (const name of ['writeSync', 'fsyncSync', 'fdatasyncSync', 'ftruncateSync'])
  all[name] = wrapped(name, all[name], byPath, 1);
const { fsync } = fs;
/** @param {number} fd @param {(error: unknown) => void} done */
all.fsync = (fd, done) => {
  if (!ours.has(fd)) return fsync(fd, done);
  try {
    step('fsync', [fd], true);
  } catch (error) {
    return done(error);
  }
  return fsync(fd, done);
};
const probe = await fs.promises.open(process.execPath, 'r');
const handles = Object.getPrototypeOf(probe);
await probe.close();
for (const name of ['write', 'writeFile', 'appendFile', 'sync', 'datasync', 'truncate', 'utimes'])
  handles[name] = wrapped(name, handles[name], (self) => ours.has(self), 0);
syncBuiltinESMExports();

process.on('exit', () => log(String(count)));
