/** A page that trains teacher and student in a browser on onnxruntime-web; its title reports the result. */
import onnx from '@grok/backend-onnx';
import { createRegistry, memoryStore, readManifest, startRun } from '@grok/core';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import model from '@grok/model';
import optim from '@grok/optim';

try {
  const registry = createRegistry([data, model, optim, onnx, attention]);
  const experiment = {
    task: { use: 'add', options: { p: 7 } },
    model: { use: 'transformer', options: { dim: 16, depth: 2, heads: 2 } },
    optimizer: { use: 'adamw', options: { learningRate: 0.01, weightDecay: 0 } },
    batch: 24,
    epochs: 5,
    seed: 3,
  };
  const execution = { backend: 'onnx', threads: 1 };
  const teacher = memoryStore();
  await startRun({ experiment, execution }, { registry, store: teacher });
  const { run, paramsSha256 } = (await readManifest(teacher))!;
  const { history, manifest } = await startRun(
    {
      experiment: {
        ...experiment,
        teachers: { teacher: { run, paramsSha256 } },
        objective: [{ use: 'hard' }, { use: 'attention' }],
        model: { use: 'transformer', options: { dim: 8, depth: 2, heads: 2 } },
      },
      execution,
    },
    { registry, store: memoryStore(), teacherStores: { teacher } },
  );
  const [first, last] = [history[0]!, history.at(-1)!].map((row) => row.terms.attention!);
  document.title = `done: attention ${first!.toFixed(4)} → ${last!.toFixed(4)}, ${manifest.device}`;
} catch (error) {
  document.title = `failed: ${error instanceof Error ? error.message : String(error)}`;
}
