/** A fresh folder of a user, with what its packages are told of the registry. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** @typedef {ReturnType<typeof userFolder>} UserFolder */

/** @param {string} path @param {NodeJS.ProcessEnv} env */
export function userFolder(path, env) {
  mkdirSync(path, { recursive: true });
  writeFileSync(
    join(path, 'package.json'),
    `${JSON.stringify({ name: basename(path), private: true, type: 'module' })}\n`,
  );
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
    install: (...names) => run('npm', 'install', '--no-progress', '--prefer-offline', ...names),
    /** @param {string} file @param {string} text */
    write(file, text) {
      mkdirSync(join(path, file, '..'), { recursive: true });
      writeFileSync(join(path, file), text);
    },
    /** @param {string} from @param {string} [as] */
    copy: (from, as = basename(from)) => copyFileSync(from, join(path, as)),
    /** Packages of ours that are there, by name without scope. */
    ours: () => {
      const at = join(path, 'node_modules/@grok');
      return existsSync(at) ? readdirSync(at).sort() : [];
    },
    /** Copies of a package anywhere below `node_modules`. @param {string} name */
    copiesOf: (name) => {
      const all = JSON.parse(run('npm', 'ls', name, '--all', '--json', '--long'));
      const paths = new Set();
      /** @param {Record<string, any>} node */
      const visit = (node) => {
        for (const [key, child] of Object.entries(node.dependencies ?? {})) {
          if (key === name && child.path) paths.add(child.path);
          visit(child);
        }
      };
      visit(all);
      return paths.size;
    },
  };
}

/** @param {unknown} condition @param {string} what @returns {asserts condition} */
export function must(condition, what) {
  if (!condition) throw new Error(what);
}
