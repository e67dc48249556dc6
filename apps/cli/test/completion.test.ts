/** `grok completion`: what each shell offers, asked of the shell itself where it is installed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bench } from './helpers.js';

const world = bench();
afterAll(() => world.remove());
beforeAll(() => {
  mkdirSync(join(world.dir, 'runs/teacher'), { recursive: true });
  writeFileSync(join(world.dir, 'runs/teacher/config.json'), '{}');
});

/** How a shell is asked what it offers for words, the last of which is being typed. */
const ASK: Readonly<Record<string, (script: string, words: readonly string[]) => string>> = {
  bash: (script, words) =>
    `source ${script}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _grok; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (script, words) =>
    `compdef() { }; compadd() { local one; for one in "$@"; do [[ $one == "$PREFIX"* ]] && print -r -- $one; done }; _files() { }; source ${script}; words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length}; PREFIX=\${words[CURRENT]}; _grok`,
  fish: (script, words) => `source ${script}; complete -C '${words.join(' ')}'`,
};
const isInstalled = (shell: string): boolean =>
  spawnSync(shell, ['-c', 'true']).error === undefined;

describe.each(Object.keys(ASK))('%s', (shell) => {
  const offered = async (...words: string[]): Promise<readonly string[]> => {
    const { out, code } = await world.grok('completion', shell);
    expect(code).toBe(0);
    writeFileSync(join(world.dir, `grok.${shell}`), out);
    const text = ASK[shell]?.(`./grok.${shell}`, ['grok', ...words]) ?? '';
    const { stdout, stderr } = spawnSync(shell, ['-c', text], {
      cwd: world.dir,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return stdout
      .split('\n')
      .map((line) => line.split('\t')[0] ?? '')
      .filter(Boolean)
      .sort();
  };
  it.skipIf(!isInstalled(shell))(
    'offers commands, options and names (skipped if the shell is not installed)',
    async () => {
      // Catches: an option of another command, a preset or a strategy that is not offered.
      expect(await offered('tra')).toEqual(['track', 'train']);
      expect(await offered('study', 're')).toEqual(['record', 'resume']);
      expect(await offered('train', '--weight')).toEqual([]);
      expect(await offered('train', '--epo')).toEqual(['--epochs']);
      expect(await offered('study', 'resume', '--only')).toEqual(['--only']);
      expect(await offered('resume', '--only')).toEqual([]);
      expect(await offered('--pre')).toEqual(['--preset']);
      expect(await offered('train', '--preset', 'nan')).toEqual(['nanda']);
      expect(await offered('distill', '--strategy', 'at')).toEqual(['attention']);
      expect(await offered('eval', '--on', 'v')).toEqual(['val']);
      expect(await offered('new', 'st')).toEqual(['strategy']);
      expect(await offered('study', 'run', 'study-s')).toEqual(['study-small']);
    },
  );
  it.skipIf(!isInstalled(shell))(
    'offers the folders of runs (skipped if the shell is not installed)',
    async () => {
      expect(await offered('inspect', 'runs/te')).toContain('runs/teacher');
      expect(await offered('distill', '--teacher', 'runs/te')).toContain('runs/teacher');
    },
  );
});

it('names the shells that it knows', async () => {
  const { code, err } = await world.grok('completion', 'zhs');
  expect([code, err]).toEqual([2, expect.stringContaining('did you mean "zsh"')]);
});
