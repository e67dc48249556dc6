/** How plugins are named, found and told apart; none runs that was not named. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAlias } from '../src/plugins.js';
import { bench, configIn, root, TINY } from './helpers.js';

const world = bench();
afterAll(() => world.remove());
const SPEC = {
  task: { use: 'add', options: { p: 7 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1 } },
  optimizer: { use: 'adamw' },
  objective: [{ use: 'hard' }, { use: 'shrink' }],
  ...{ batch: 24, epochs: 1, seed: 1 },
};
const put = (path: string, text: string): void => {
  mkdirSync(join(world.dir, path, '..'), { recursive: true });
  writeFileSync(join(world.dir, path), text);
};
const source = (name: string, component: string, more = ''): string => `${more}
export default { name: '${name}', version: '1.2.3', core: '>=0.1.0 <1', components: [{
  kind: 'strategy', name: '${component}', summary: 'For the test.', options: { type: 'object', properties: { power: { type: 'number' } } },
  create: (_, { tf }) => () => ({ needs: { student: ['logits'] },
    loss: ({ student }) => ({ own: tf.mean(tf.square(student('logits'))) }) }),
}] };`;
const installed = (name: string, component: string, more = ''): void => {
  const folder = `node_modules/${name}`;
  const manifest = { name, version: '1.2.3', type: 'module', exports: './index.js' };
  const described = { ...manifest, description: `About ${name}.`, keywords: ['grok-plugin'] };
  put(`${folder}/package.json`, JSON.stringify(described));
  put(`${folder}/index.js`, source(name, component, more));
};
installed('grok-shrink', 'shrink');
installed('@me/shrink', 'shrink');
installed('@grok/backend-node-gpu', 'node-gpu');
installed('grok-loud', 'loud', 'throw new Error("loaded without being named");');
put('node_modules/left-pad/package.json', '{"name":"left-pad","version":"1.0.0"}');

describe('grok plugins --search', () => {
  it('lists what is installed by its manifest, and loads nothing', async () => {
    // Catches: code that runs because it lies in node_modules; a built-in that cannot be loaded twice.
    const done = await world.grok('plugins', '--search', 'node_modules', '--json');
    expect(done.code).toBe(0);
    expect(done.json<{ found: { name: string }[] }>().found.map(({ name }) => name)).toEqual([
      '@me/shrink',
      'grok-loud',
      'grok-shrink',
    ]);
    expect(done.err).toContain('About grok-loud.');
    expect(done.err).toContain('load one: --plugin @me/shrink');
    expect((await world.grok('plugins', '--search', 'nowhere')).err).toContain(
      '--search nowhere: no such folder',
    );
  });
});

describe('grok.config.json', () => {
  it('names plugins for every command in its folder', async () => {
    put('grok.config.json', '\uFEFF{ "plugins": ["grok-shrink"] }');
    const listed = await world.grok('plugins', '--plugin', 'grok-shrink', '--json');
    expect(listed.code, listed.err).toBe(0);
    const names = listed
      .json<{ plugins: { name: string; package: string; options: object }[] }>()
      .plugins.filter((item) => item.package === 'grok-shrink');
    expect(names).toMatchObject([{ name: 'shrink', options: { properties: { power: {} } } }]);
    put('spec.json', JSON.stringify({ $schema: './grok.schema.json', experiment: SPEC }));
    const run = await world.grok('train', '--spec', 'spec.json', '--quiet', '--out', 'shrunk');
    expect(run.code, run.err).toBe(0);
  });
  it.each([
    ['{ "plugin": [] }', 'grok.config.json: line 1: unknown key "plugin": did you mean "plugins"?'],
    ['{ "plugins": "x" }', 'grok.config.json: line 1: key "plugins": must be a list, got "x"'],
    ['[]', 'must be an object'],
    ['{', 'must be JSON'],
  ])('%s is refused', async (text, message) => {
    put('grok.config.json', text);
    const done = await world.grok('plugins');
    expect(done.code).toBe(2);
    expect(done.err).toContain(message);
    put('grok.config.json', '{}');
  });
});

describe('grok.config.json beside what somebody else may have written', () => {
  // Catches: `cd downloaded-run && grok eval .`, which runs the code that came with the run.
  const code = 'export default globalThis.tookOver = true;';
  const loaded = (): unknown => Reflect.get(globalThis, 'tookOver');
  it.each([
    ['config.json', JSON.stringify({ format: 'grok run 2' }, null, 2)],
    ['metrics.jsonl', ''],
    ['study.json', '{}'],
    ['runs.json', '{}'],
    ['journal.jsonl', ''],
  ])('is not loaded beside %s', async (name, text) => {
    const other = bench();
    writeFileSync(join(other.dir, name), text);
    writeFileSync(join(other.dir, 'evil.mjs'), code);
    writeFileSync(join(other.dir, 'grok.config.json'), '{ "plugins": ["./evil.mjs"] }');
    const done = await other.grok('plugins');
    expect(done).toMatchObject({
      code: 0,
      err: `grok: grok.config.json is not loaded: it is next to ${name} of a run or a study; load its plugins with --plugin\n`,
    });
    expect(loaded()).toBeUndefined();
    other.remove();
  });
  it('is loaded beside a config.json of something else', async () => {
    const other = bench();
    writeFileSync(join(other.dir, 'config.json'), '{ "name": "a project" }');
    writeFileSync(join(other.dir, 'grok.config.json'), '{ "plugins": ["./missing.mjs"] }');
    expect((await other.grok('plugins')).err).toContain('./missing.mjs');
    other.remove();
  });
});

describe('a plugin’s task and optimizer', () => {
  it('are named by flags, over any preset', async () => {
    // Catches: the preset's options handed to another’s component.
    const gallery = ['--plugin', join(root, 'examples/gallery')];
    const small = ['--dim', '8', '--depth', '1', '--epochs', '1', '--quiet', '--out', 'points'];
    const named = ['--op', 'points', '--set', 'optimizer.use=one-cycle'];
    const done = await world.grok('train', ...gallery, ...named, ...small);
    expect(done.code, done.err).toBe(0);
    expect(configIn(world)('points').experiment).toMatchObject({
      task: { use: 'points' },
      optimizer: { use: 'one-cycle', options: { weightDecay: 1 } },
    });
  });
});

describe('two plugins of one name', () => {
  it('need an alias, and the error writes it', async () => {
    const both = ['--plugin', 'grok-shrink', '--plugin', '@me/shrink'];
    const done = await world.grok('plugins', ...both);
    expect(done.code).toBe(2);
    expect(done.err).toContain(
      'strategy "shrink" of @me/shrink: grok-shrink already has one with this name; give one of them an alias: --plugin @me/shrink#shrink=another-name',
    );
  });
  it('live side by side under one', async () => {
    const both = ['--plugin', 'grok-shrink', '--plugin', '@me/shrink#shrink=mine'];
    const done = await world.grok('plugins', ...both, '--json');
    expect(done.code, done.err).toBe(0);
    const { plugins } = done.json<{ plugins: { name: string; package: string }[] }>();
    const of = (name: string) => plugins.find((item) => item.name === name)?.package;
    expect([of('shrink'), of('mine')]).toEqual(['grok-shrink', '@me/shrink']);
    const wrong = await world.grok('plugins', '--plugin', '@me/shrink#shrnk=mine');
    expect(wrong.err).toContain('did you mean "shrink"');
  });
  it('and a path may hold a # of its own', () => {
    expect(parseAlias('./a#b')).toEqual({ path: './a#b', alias: {} });
    expect(parseAlias('./a#b#c=d,e=f')).toEqual({ path: './a#b', alias: { c: 'd', e: 'f' } });
  });
});

describe('a plugin that', () => {
  it('asks for another core is refused in one line', async () => {
    put('old/index.js', source('grok-old', 'old').replace('>=0.1.0 <1', '>=9'));
    const done = await world.grok('plugins', '--plugin', './old');
    expect([done.code, done.err.trim().split('\n').length]).toEqual([2, 1]);
    expect(done.err).toContain('grok-old: requires @grok/core >=9, this is');
  });
  it('gives a bad shape fails its run by name, and no other', async () => {
    put(
      'bad/index.js',
      source('grok-bad', 'bad').replace(
        'create: (_, { tf }) => ()',
        'create: () => undefined, other: ()',
      ),
    );
    const experiment = { ...SPEC, objective: [{ use: 'hard' }, { use: 'bad' }] };
    put('bad.json', JSON.stringify({ experiment, execution: { plugins: ['./bad'] } }));
    const done = await world.grok('train', '--spec', 'bad.json', '--quiet', '--out', 'bad-run');
    expect(done.code).toBe(2);
    expect(done.err).toContain('strategy "bad" of grok-bad 1.2.3: create() must return a function');
    const other = await world.grok('train', ...TINY, '--plugin', './bad', '--out', 'other');
    expect(other.code, other.err).toBe(0);
  });
});

describe('a plugin that throws in its loss', () => {
  it('is named, and --debug shows where', async () => {
    // Catches: a stack of grok's own frames alone.
    put(
      'throwing/index.js',
      source('grok-throwing', 'throwing').replace(
        'loss: (',
        'loss() { return deepInside(); }, other: (',
      ) + `\nfunction deepInside() { throw new TypeError('boom'); }\n`,
    );
    const experiment = { ...SPEC, objective: [{ use: 'throwing', as: 'mine' }] };
    put('throwing.json', JSON.stringify({ experiment, execution: { plugins: ['./throwing'] } }));
    const argv = ['train', '--spec', 'throwing.json', '--quiet', '--out'];
    const plain = await world.grok(...argv, 'plain');
    expect([plain.code, plain.err]).toEqual([1, 'grok: strategy "throwing" (term "mine"): boom\n']);
    const { err } = await world.grok(...argv, 'debugged', '--debug');
    expect(err).toMatch(/\[cause\]: TypeError: boom\n +at deepInside .*throwing\/index\.js/);
  });
});

describe('grok plugins --schema', () => {
  it('prints a JSON Schema with the plugin’s names in it', async () => {
    const done = await world.grok('plugins', '--plugin', 'grok-shrink', '--schema');
    const schema = JSON.parse(done.out);
    expect(schema.$schema).toContain('json-schema.org');
    expect(JSON.stringify(schema)).toContain('"const":"shrink"');
    // Catches: a last line that is a bracket, where --json promises the object.
    const line = await world.grok('plugins', '--plugin', 'grok-shrink', '--schema', '--json');
    expect([line.json(), line.out.trim().split('\n').length]).toEqual([schema, 1]);
  });
});

describe('a name that is missed', () => {
  it('is looked for among the plugins that the runs began with', async () => {
    // Catches: the known names alone, though the record names the plugin.
    const { seed: _, ...shared } = { ...SPEC, objective: [{ use: 'hard' }] };
    const plan = {
      ...{ name: 'p', summary: 'For the test.', teacher: {}, student: {}, seeds: [1] },
      shared,
      arms: { shrink: { objective: SPEC.objective } },
    };
    mkdirSync(join(world.dir, 'apart'));
    put('apart/plan.json', JSON.stringify(plan));
    const named = ['--plugin', 'grok-shrink', '--executor', 'inline', '--quiet'];
    const begun = await world.grok(
      'study',
      'run',
      'apart/plan.json',
      ...named,
      '--out',
      'apart/study',
    );
    expect(begun.err).toBe('');
    rmSync(join(world.dir, 'grok.config.json'));
    const hint =
      'it may come from grok-shrink 1.2.3, which the runs were started with: pass --plugin grok-shrink, or the plugin’s path';
    const found = readdirSync(join(world.dir, 'apart/study')).find((it) => it.includes('shrink'));
    for (const words of [
      ['study', 'run', 'apart/study'],
      ['study', 'run', 'apart/study', '--dry-run'],
      ['study', 'resume', 'apart/study'],
      ['resume', `apart/study/${found}`, '--epochs', '3'],
    ]) {
      const done = await world.grok(...words);
      expect([done.code, done.err], words.join(' ')).toEqual([2, expect.stringContaining(hint)]);
    }
  });
});
