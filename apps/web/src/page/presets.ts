/** Plans to start from: the command line's presets, and a small one whose teacher comes with the site. */
import type { Json } from '@grok/core';
import type { Plan } from '@grok/study';
import type { RunView } from '../protocol.js';

// Data, read as files: there is one copy of each of the command line's presets.
const files = import.meta.glob<Plan>(['./small.json', '../../../cli/presets/*.json'], {
  eager: true,
  import: 'default',
});
const { './small.json': small, ...others } = files;

if (small === undefined) throw new TypeError('small.json: is not among the presets');
/** The preset that stands in the form at first. */
export const smallPreset: Plan = small;

/** By name, the small one first. */
export const presets: Readonly<Record<string, Plan>> = Object.fromEntries(
  [smallPreset, ...Object.values(others)]
    // Studies of many seeds and several teachers are the command line's.
    .filter((plan) => !('teachers' in plan) && plan.seeds.length === 1)
    .map((plan) => [plan.name, plan]),
);

/** What the form shows of a plan. */
export interface Fields {
  readonly op: string;
  readonly p: number;
  readonly teacherDim: number;
  readonly studentDim: number;
  readonly depth: number;
  readonly heads: number;
  readonly epochs: number;
  readonly seed: number;
  readonly arms: readonly string[];
}
type Tree = { readonly [key: string]: Json };

const within = (part: unknown, ...path: readonly string[]): unknown =>
  path.reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], part);

/** Reads a plan into the form. */
export function fieldsOf({ shared, teacher, student, arms, seeds }: Plan): Fields {
  const of = (...path: readonly string[]): unknown =>
    within(teacher, ...path) ?? within(shared, ...path) ?? within(student, ...path);
  const option = (name: string, otherwise: number): number =>
    Number(of('model', 'options', name) ?? otherwise);
  return {
    op: String(of('task', 'use') ?? 'div'),
    p: Number(of('task', 'options', 'p') ?? 97),
    teacherDim: option('dim', 128),
    studentDim: Number(within(student, 'model', 'options', 'dim') ?? option('dim', 128) / 2),
    depth: option('depth', 2),
    heads: option('heads', 1),
    epochs: Number(of('epochs') ?? 150),
    seed: seeds[0]!,
    arms: Object.keys(arms),
  };
}

/** `value` laid under a path of keys; what is beside it stays. */
function laid(tree: Tree, [key, ...rest]: readonly string[], value: Json): Tree {
  if (key === undefined) return tree;
  const below = (tree[key] ?? {}) as Tree;
  return { ...tree, [key]: rest.length === 0 ? value : laid(below, rest, value) };
}

/** The plan with what the form says otherwise than it; untouched, it is the plan itself. */
export function withFields(plan: Plan, changed: Partial<Fields>): Plan {
  if (Object.keys(changed).length === 0) return plan;
  const next: Record<string, Tree> = JSON.parse(JSON.stringify(plan));
  const put = (part: string, path: readonly string[], value: Json): void => {
    next[part] = laid(next[part] ?? {}, path, value);
  };
  const parts = ['shared', 'teacher', 'student'].filter((part) => within(plan, part) !== undefined);
  /** Where a plan says it now; else where all share it. */
  const holders = (...path: readonly string[]): readonly string[] => {
    const found = parts.filter((part) => within(next[part], ...path) !== undefined);
    return found.length > 0 ? found : ['shared'];
  };
  const everywhere = (path: readonly string[], value: Json): void => {
    for (const part of holders(...path)) put(part, path, value);
  };
  const { op, p, teacherDim, studentDim, depth, heads, epochs, seed, arms } = changed;
  if (op !== undefined) everywhere(['task', 'use'], op);
  if (p !== undefined) everywhere(['task', 'options', 'p'], p);
  if (teacherDim !== undefined) put('teacher', ['model', 'options', 'dim'], teacherDim);
  if (studentDim !== undefined) put('student', ['model', 'options', 'dim'], studentDim);
  if (depth !== undefined) everywhere(['model', 'options', 'depth'], depth);
  if (heads !== undefined) everywhere(['model', 'options', 'heads'], heads);
  if (epochs !== undefined) {
    // All alike: said once, and nowhere else any more.
    const without = ({ epochs: _own, ...rest }: Tree): Tree => rest;
    for (const part of parts) next[part] = without(next[part]!);
    next.arms = Object.fromEntries(
      Object.entries(next.arms!).map(([name, arm]) => [name, without(arm as Tree)]),
    );
    put('shared', ['epochs'], epochs);
  }
  if (arms !== undefined)
    next.arms = Object.fromEntries(
      Object.entries(next.arms!).filter(([name]) => arms.includes(name)),
    );
  return { ...(next as unknown as Plan), ...(seed === undefined ? {} : { seeds: [seed] }) };
}

/** The runs of a plan before any has begun. */
export function runsIn({ shared, teacher, student, arms, seeds }: Plan): readonly RunView[] {
  const epochs = (...parts: readonly (object | undefined)[]): number =>
    Number(parts.map((part) => within(part, 'epochs')).find((found) => found !== undefined) ?? 150);
  const run = (name: string, length: number): RunView => ({
    name,
    seed: seeds[0]!,
    epochs: length,
    history: [],
  });
  return [
    run('teacher', epochs(teacher, shared)),
    ...Object.entries(arms).map(([name, arm]) => run(name, epochs(arm, student, shared))),
  ];
}
