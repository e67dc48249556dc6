/** The notebooks of `examples/python`: as they should be committed, and run where Python has their packages. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = new URL('../examples/python/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const notebooks = readdirSync(folder).filter((name) => name.endsWith('.ipynb'));
const python = process.env.GROK_PYTHON ?? 'python3';
const PACKAGES = 'nbclient, ipykernel, duckdb, pandas, pyarrow, onnxruntime, transformer_lens';

it.each(notebooks)('%s is listed, and has no output of anyone’s machine', (name) => {
  // Catches: a notebook that nobody finds, results that are committed and never run again.
  const { cells } = JSON.parse(read(name)) as {
    cells: { cell_type: string; outputs?: unknown[]; execution_count?: number | null }[];
  };
  const code = cells.filter((cell) => cell.cell_type === 'code');
  expect(code.length).toBeGreaterThan(0);
  for (const { outputs, execution_count } of code)
    expect([outputs, execution_count]).toEqual([[], null]);
  expect(read('README.md')).toContain(`(${name})`);
});
it.skipIf(spawnSync(python, ['-c', `import ${PACKAGES}`]).status !== 0)(
  'all run and agree with the runs (skipped without their packages: npm run test:python)',
  () => {
    const script = fileURLToPath(new URL('../scripts/test-python.mjs', import.meta.url));
    const env = { ...process.env, GROK_PYTHON: python };
    const { stdout, stderr } = spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
    expect(stdout, stderr).toContain(`${notebooks.length} passed, 0 failed`);
  },
  600_000,
);
