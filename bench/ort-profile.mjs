/** Reads onnxruntime's profile (https://onnxruntime.ai/docs/performance/tune-performance/profiling-tools.html) and writes speedscope's file format. */

/**
 * Time of every node over all runs in a profile.
 * @param {readonly any[]} events
 * @param {number} skip runs to leave out at the beginning
 * @returns {{ runs: number, runMicros: number, nodes: { name: string, op: string, micros: number }[] }} sums over the runs kept
 */
export function nodeTimes(events, skip = 0) {
  const runs = events
    .filter(({ cat, name }) => cat === 'Session' && name === 'model_run')
    .sort((a, b) => a.ts - b.ts)
    .slice(skip);
  const from = runs[0]?.ts ?? 0;
  const nodes = new Map();
  for (const { cat, name, ts, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time') || ts < from) continue;
    const key = name.slice(0, -'_kernel_time'.length);
    const node = nodes.get(key) ?? { name: key, op: args.op_name, micros: 0 };
    node.micros += dur;
    nodes.set(key, node);
  }
  const runMicros = runs.reduce((sum, { dur }) => sum + dur, 0);
  return { runs: runs.length, runMicros, nodes: [...nodes.values()] };
}

/**
 * A flame graph for https://www.speedscope.app.
 * @param {readonly { name: string, stacks: readonly { stack: readonly { name: string, file?: string, line?: number }[], micros: number }[] }[]} profiles
 */
export function speedscope(profiles) {
  const frames = [];
  const known = new Map();
  const indexOf = (frame) => {
    const key = `${frame.name} ${frame.file}:${frame.line}`;
    if (!known.has(key)) {
      known.set(key, frames.length);
      frames.push(frame);
    }
    return known.get(key);
  };
  const sampled = profiles.map(({ name, stacks }) => ({
    type: 'sampled',
    name,
    unit: 'microseconds',
    startValue: 0,
    endValue: stacks.reduce((sum, { micros }) => sum + micros, 0),
    samples: stacks.map(({ stack }) => stack.map(indexOf)),
    weights: stacks.map(({ micros }) => micros),
  }));
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    shared: { frames },
    profiles: sampled,
    name: 'grok',
    exporter: 'grok',
  };
}
