/** The profile adds up times per node, and every node of a step knows its source line. */
import type { Backend } from '@grok/core';
import { hard } from '@grok/core';
import { compose, describeModel, train } from '@grok/core/internal';
import { div, numpy } from '@grok/data';
import { adamw } from '@grok/optim';
import * as tf from '@grok/tfjs';
import { expect, test } from 'vitest';
import { annotate, parse } from '../bench/annotate.mjs';
import { nodeTimes, speedscope } from '../bench/ort-profile.mjs';

test('node times are summed over the measured runs', () => {
  // Catches: warm-up counted; a run's own time counted as a node's.
  const run = (ts: number, dur: number) => ({ cat: 'Session', name: 'model_run', ts, dur });
  const node = (ts: number, dur: number) => ({
    ...{ cat: 'Node', name: '7:matMul#3_kernel_time', ts, dur },
    args: { op_name: 'Gemm' },
  });
  const events = [node(1, 99), run(0, 100), node(201, 5), run(200, 9), node(301, 7), run(300, 8)];
  expect(nodeTimes(events, 1)).toEqual({
    runs: 2,
    runMicros: 17,
    nodes: [{ name: '7:matMul#3', op: 'Gemm', micros: 12 }],
  });
});
test('frames of this project’s packages are distinguished from the engine and dependencies', () => {
  // Catches: time attributed to tfjs's own lines, or to another package's copy.
  const stack = `Error
    at Engine.startScope (/x/bench/annotate.mjs:1:1)
    at matMul__op (/x/packages/tfjs/dist/index.js:1:999)
    at reshape (/x/node_modules/.pnpm/tfjs/packages/core/src/a.ts:9:9)
    at linear (file:///x/packages/model/src/transformer.ts:12:3)
    at <anonymous> (/x/packages/core/src/step.ts:5:1)
    at /x/packages/core/src/step.ts:3:1`;
  expect(parse(stack)).toEqual([
    { fn: '', file: 'packages/core/src/step.ts', line: 3 },
    { fn: '', file: 'packages/core/src/step.ts', line: 5 },
    { fn: 'linear', file: 'packages/model/src/transformer.ts', line: 12 },
  ]);
});
test('a flame graph lists each frame once', () => {
  // Catches: a file that speedscope cannot open; lost weights.
  const frame = (name: string) => ({ name, file: 'a.ts', line: 1 });
  const { shared, profiles } = speedscope([
    {
      name: 'step',
      stacks: [
        { stack: [frame('a'), frame('b')], micros: 3 },
        { stack: [frame('a')], micros: 4 },
      ],
    },
  ]);
  expect(shared.frames).toEqual([frame('a'), frame('b')]);
  expect(profiles[0]).toMatchObject({ samples: [[0, 1], [0]], weights: [3, 4], endValue: 7 });
});

test('every node of a step knows its line and its phase', async () => {
  // Catches: gradients attributed to the trainer instead of the line they belong to.
  const findOrigin = annotate(tf.engine());
  const { onnx } = await import('@grok/backend-onnx');
  const { transformer } = await import('@grok/model');
  const backend = await onnx({ threads: 1 });
  const sources: string[] = [];
  const watched: Backend = {
    ...backend,
    async compile(name, ...rest) {
      const program = await backend.compile(name, ...(rest as never as [never, never]));
      const { graph } = program as unknown as { graph: { nodes: { source: string }[] } };
      if (name.startsWith('train')) sources.push(...graph.nodes.map(({ source }) => source));
      return program as never;
    },
  };
  const task = div({ p: 5 });
  const model = transformer({ dim: 4, depth: 1, dropout: 0.5 })({
    vocabulary: task.vocabulary,
    inputs: task.inputs,
  });
  const events = train({
    ...{ backend: watched, task, model, teachers: {}, probes: [], batch: 10, epochs: 1, seed: 0 },
    split: numpy()(task.labels.length, 0),
    objective: compose([{ name: 'hard', weight: 1, objective: hard() }], {
      student: describeModel(model),
      teachers: {},
    }),
    optimizer: adamw(),
    run: '0'.repeat(64),
    recordedSteps: new Set(),
    checkpointEvery: 1,
    now: () => 0,
  });
  await events.next();
  await events.return('interrupted');
  await backend.dispose();

  const origins = sources.map((source) => findOrigin(source));
  const inModel = (phase: string): number =>
    origins.filter(
      (origin) =>
        origin?.phase === phase &&
        origin.frames.some(({ file }) => file === 'packages/model/src/transformer.ts'),
    ).length;
  expect(inModel('forward')).toBeGreaterThan(20);
  expect(inModel('backward')).toBeGreaterThan(20);
  expect(inModel('optimizer')).toBe(0);
  expect(origins.filter((origin) => origin?.phase === 'optimizer').length).toBeGreaterThan(5);
  const lost = origins.filter((origin) => origin === undefined).length;
  expect(lost / origins.length).toBeLessThan(0.1);
});
