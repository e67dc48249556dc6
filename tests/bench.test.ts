/** The benchmark harness reads contestants' answers in order, reports crashes, and interleaves rounds. */
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { floor, others } from '../bench/contestants.mjs';
import { onnxBytes } from '../bench/onnx-bytes.mjs';
import { type Contestant, start } from '../bench/protocol.mjs';
import { gains, median, race, ratio, table } from '../bench/race.mjs';
import { division, PRIME } from '../bench/task.mjs';

const url = new URL('../bench/protocol.mjs', import.meta.url);
const run = (code: string): Promise<Contestant> =>
  start('fake', [
    process.execPath,
    '--input-type=module',
    '-e',
    `import { serve } from '${url}';\n${code}`,
  ]);

test('a contestant reports ready, answers each request in order, and exits when its input ends', async () => {
  // Catches: laps mixed up between two requests, log output taken for an answer, a child process
  // left behind.
  const fake = await run(`console.log('loading…');
    let n = 0;
    await serve({ threads: 3 }, () => { console.log('lap', n); return { lap: n++ }; });`);
  expect(fake.ready).toEqual({ threads: 3 });
  expect(await Promise.all([fake.go(), fake.go()])).toEqual([{ lap: 0 }, { lap: 1 }]);
  await fake.stop();
  await expect(fake.go()).rejects.toThrow('fake: ended early with exit code 0');
});
test('a contestant that cannot start, or crashes, is an error with its output', async () => {
  // Catches: a harness that waits forever for a peer whose library is not installed.
  await expect(run('console.error("no such module"); process.exit(3);')).rejects.toThrow(
    'fake: ended early with exit code 3:\nno such module',
  );
  await expect(start('fake', ['no-such-program-anywhere'])).rejects.toThrow(
    'fake: could not start no-such-program-anywhere',
  );
  const mortal = await run(
    'await serve({ threads: 1 }, () => { throw new Error("out of luck"); });',
  );
  await expect(mortal.go()).rejects.toThrow('out of luck');
});

test('rounds interleave, and ratios are computed within a round', async () => {
  // Catches: the order A A B B, and a ratio of medians, which a drifting machine biases.
  const order: string[] = [];
  const fake = (name: string, laps: number[]): Contestant => ({
    name,
    ready: { threads: 1 },
    go: async () => {
      order.push(name);
      return { ms: Number(laps.shift()) };
    },
    stop: async () => {},
  });
  const contestants = [fake('a', [1, 10, 100]), fake('b', [2, 20, 500])];
  const laps = await race(contestants, 3, () => {}, 0);
  expect(order.join('')).toBe('ababab');
  const [a = [], b = []] = laps.map((of) => of.map(({ ms }) => Number(ms)));
  expect(ratio(b, a)).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([10, 9, 100])).toBe(10);
});
test('a turn runs laps until its time is up, and counts as their mean', async () => {
  // Catches: a fast contestant measured only by its first lap after the others; a sum instead of a
  // mean.
  let count = 0;
  const fast: Contestant = {
    name: 'fast',
    ready: { threads: 1 },
    go: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { ms: count++ % 2 === 0 ? 1 : 3 };
    },
    stop: async () => {},
  };
  const [turns] = (await race([fast], 2, () => {}, 40)) as [{ ms: number }[]];
  expect(turns).toHaveLength(2);
  expect(count).toBeGreaterThan(4);
  for (const { ms } of turns) {
    expect(ms).toBeGreaterThan(1);
    expect(ms).toBeLessThan(3);
  }
});
test('a table is aligned', () => {
  // Catches: misaligned columns when a cell is wider than its header.
  expect(
    table(
      ['', 'ms'],
      [
        ['onnx', '1'],
        ['wasm', '1000'],
      ],
    ),
  ).toBe('        ms\n----  ----\nonnx     1\nwasm  1000');
});

test('the JavaScript peers split the division task as grok does', () => {
  // Catches: a peer that trains on other rows or wrong labels.
  const { train, validation } = division();
  expect([train.labels.length, validation.labels.length]).toEqual([4656, 4656]);
  const seen = new Set<string>();
  for (const { tokens, labels } of [train, validation])
    tokens.forEach(([a, , b], i) => {
      seen.add(`${a} ${b}`);
      expect((Number(labels[i]) * Number(b)) % PRIME).toBe(a);
    });
  expect(seen.size).toBe(PRIME * (PRIME - 1));
});

test('the floor runs the requested products', async () => {
  // Catches: a graph that loses flags or shapes, so that the floor is that of another step.
  const require = createRequire(new URL('../packages/backend-onnx/package.json', import.meta.url));
  process.env.ORT_DISABLE_TELEMETRY ||= '1';
  const ort = require('onnxruntime-node');
  const session = await ort.InferenceSession.create(
    onnxBytes({
      nodes: [
        { op: 'Gemm', inputs: ['a', 'b'], output: 'y', flags: { transA: 1 } },
        {
          op: 'FusedMatMul',
          domain: 'com.microsoft',
          inputs: ['a', 'a'],
          output: 'z',
          flags: { transB: 1 },
        },
      ],
      inputs: [
        { name: 'a', shape: [3, 2] },
        { name: 'b', shape: [3, 1] },
      ],
      outputs: [
        { name: 'y', shape: [2, 1] },
        { name: 'z', shape: [3, 3] },
      ],
    }),
  );
  const tensor = (data: number[], shape: number[]) =>
    new ort.Tensor('float32', Float32Array.from(data), shape);
  const { y, z } = await session.run({
    a: tensor([1, 2, 3, 4, 5, 6], [3, 2]),
    b: tensor([1, 10, 100], [3, 1]),
  });
  expect([...y.data]).toEqual([531, 642]);
  expect([...z.data]).toEqual([5, 11, 17, 11, 25, 39, 17, 39, 61]);
});
test('the floor runs the step’s products, equally often', () => {
  // Catches: evaluation counted as training, programs that never ran, optimizers without products.
  const product = { op: 'Gemm', domain: '', a: [2, 2], b: [2, 2], y: [2, 2], flags: {} };
  const program = (runs: number, products = [product]) => ({ runs, products });
  const { command } = floor(
    {
      'optimizer.init': program(0, []),
      'train-512': program(9),
      'train-48': program(1),
      'eval-932': program(4),
      'eval-928': program(1),
      'eval-7': program(0),
    },
    2,
  );
  const work = JSON.parse(command.at(-1)!);
  const runs = (part: string) => work[part].map((entry: { runs: number }) => entry.runs);
  expect([runs('whole'), runs('last'), runs('evaluation')]).toEqual([[9], [1], [4, 1]]);
});
test('Python peers run only when a Python is given', () => {
  // Catches: a benchmark that requires PyTorch.
  type Settings = { threads: number; torch?: string; jax?: string; reference?: string };
  const names = (how: Settings) => others({ dim: 128, dropout: 0.2 }, how).map(({ name }) => name);
  expect(names({ threads: 2 })).toEqual(['onnx, 1 thread', 'wasm', 'stock wasm']);
  expect(names({ threads: 1, torch: 'py', jax: 'py' })).toEqual([
    'wasm',
    'stock wasm',
    'torch eager',
    'torch compile',
    'jax jit',
  ]);
  expect(names({ threads: 1, jax: 'py', reference: 'dir' }).slice(2)).toEqual([
    'jax jit',
    'reference jit',
  ]);
});
test('two processes that do not slow each other down gain a factor of two', () => {
  // Catches: an inverted gain.
  expect(
    gains([
      { alone: 100, together: [100, 100] },
      { alone: 100, together: [200, 200] },
    ]),
  ).toEqual([2, 1]);
});
