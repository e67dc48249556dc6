/** A new user folder, whose package manager uses the local registry. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { MANAGERS } from './managers.mjs';

/** @typedef {ReturnType<typeof userFolder>} UserFolder */

/** @param {string} path @param {NodeJS.ProcessEnv} env @param {import('./managers.mjs').Manager} manager */
export function userFolder(path, env, manager = MANAGERS.npm) {
  mkdirSync(path, { recursive: true });
  writeFileSync(
    join(path, 'package.json'),
    `${JSON.stringify({ name: basename(path), private: true, type: 'module' })}\n`,
  );
  for (const [file, text] of Object.entries(manager.files ?? {}))
    writeFileSync(join(path, file), text);
  // Yarn reads it only from here.
  copyFileSync(env.npm_config_userconfig ?? '', join(path, '.npmrc'));
  /** @param {string} command @param {string[]} args */
  const tryRun = (command, ...args) => {
    const shell = process.platform === 'win32';
    const result = spawnSync(command, args, { cwd: path, env, encoding: 'utf8', shell });
    return {
      code: result.status ?? -1,
      out: result.stdout ?? '',
      all: `${result.stdout}${result.stderr}`,
    };
  };
  /** @param {string} command @param {string[]} args */
  const run = (command, ...args) => {
    const { code, out, all } = tryRun(command, ...args);
    if (code !== 0) throw new Error(`${path}$ ${command} ${args.join(' ')} (${code})\n${all}`);
    return out;
  };
  return {
    path,
    tryRun,
    run,
    /** @param {string[]} names */
    install(...names) {
      const [command = '', ...args] = manager.add;
      return run(command, ...args, ...names);
    },
    /** Runs a program of an installed package. @param {string[]} words */
    exec(...words) {
      const [command = '', ...args] = manager.exec;
      return run(command, ...args, ...words);
    },
    /** @param {string} file @param {string} text */
    write(file, text) {
      mkdirSync(join(path, file, '..'), { recursive: true });
      writeFileSync(join(path, file), text);
    },
    /** @param {string} from @param {string} [as] */
    copy: (from, as = basename(from)) => copyFileSync(from, join(path, as)),
    /** The installed packages of this project, by name without scope. */
    ours: () => {
      const at = join(path, 'node_modules/@grok');
      return existsSync(at) ? readdirSync(at).sort() : [];
    },
    /** Number of copies of a package anywhere below `node_modules`. @param {string} name */
    copiesOf: (name) => copies(join(path, 'node_modules'), name).size,
  };
}

/** @param {string} modules @param {string} name @param {Set<string>} found */
function copies(modules, name, found = new Set()) {
  if (existsSync(join(modules, name))) found.add(realpathSync(join(modules, name)));
  for (const folder of below(modules))
    if (existsSync(join(folder, 'node_modules'))) copies(join(folder, 'node_modules'), name, found);
  return found;
}

/** Package folders in a `node_modules`, without links. @param {string} modules @returns {string[]} */
const below = (modules) =>
  foldersIn(modules).flatMap((at) => {
    const name = basename(at);
    return name.startsWith('@') || name === '.pnpm' ? foldersIn(at) : [at];
  });

/** @param {string} folder */
const foldersIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [join(folder, entry.name)] : [],
  );

/** @param {unknown} condition @param {string} what @returns {asserts condition} */
export function must(condition, what) {
  if (!condition) throw new Error(what);
}
