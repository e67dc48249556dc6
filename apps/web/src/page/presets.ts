/** Plans to start from: the command line's presets, and a small one whose teacher comes with the site. */
import type { Json } from '@grok/core';
import type { Part, Plan } from '@grok/study';
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
  readonly teacherEpochs: number;
  /** Null where the students' differ. */
  readonly studentEpochs: number | null;
  readonly seed: number;
  readonly arms: readonly string[];
}
type Tree = { readonly [key: string]: Json };
/** Parts that the form changes: what all share, the teacher's, the students'. */
type PartName = 'shared' | 'teacher' | 'student';
type Parts = Readonly<Record<PartName, Part>>;

const readPath = (part: unknown, ...path: readonly string[]): unknown =>
  path.reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], part);

/** Reads a plan into the form. */
export function readFields({ shared, teacher, student, arms, seeds }: Plan): Fields {
  const of = (...path: readonly string[]): unknown =>
    readPath(teacher, ...path) ?? readPath(shared, ...path) ?? readPath(student, ...path);
  const option = (name: string, otherwise: number): number =>
    Number(of('model', 'options', name) ?? otherwise);
  const teacherEpochs = Number(teacher.epochs ?? shared?.epochs ?? 150);
  const [first = teacherEpochs, ...others] = Object.values(arms).map((arm) =>
    Number(arm.epochs ?? student.epochs ?? shared?.epochs ?? 150),
  );
  return {
    op: String(of('task', 'use') ?? 'div'),
    p: Number(of('task', 'options', 'p') ?? 97),
    teacherDim: option('dim', 128),
    studentDim: Number(readPath(student, 'model', 'options', 'dim') ?? option('dim', 128) / 2),
    depth: option('depth', 2),
    heads: option('heads', 1),
    teacherEpochs,
    studentEpochs: others.every((one) => one === first) ? first : null,
    seed: seeds[0] ?? 0,
    arms: Object.keys(arms),
  };
}

/** `value` laid under a path of keys; what is beside it stays. */
function laid(tree: Tree, [key, ...rest]: readonly string[], value: Json): Tree {
  if (key === undefined) return tree;
  const below = (tree[key] ?? {}) as Tree;
  return { ...tree, [key]: rest.length === 0 ? value : laid(below, rest, value) };
}

/** Fields that the whole study has alike, and where they stand in a part. */
const ALIKE: readonly (readonly ['op' | 'p' | 'depth' | 'heads', ...path: string[]])[] = [
  ['op', 'task', 'use'],
  ['p', 'task', 'options', 'p'],
  ['depth', 'model', 'options', 'depth'],
  ['heads', 'model', 'options', 'heads'],
];
type OwnField = 'teacherDim' | 'studentDim' | 'teacherEpochs' | 'studentEpochs';
/** Fields of the teacher alone or of the students alone. */
const OWN: readonly (readonly [OwnField, PartName, ...path: string[]])[] = [
  ['teacherDim', 'teacher', 'model', 'options', 'dim'],
  ['studentDim', 'student', 'model', 'options', 'dim'],
  ['teacherEpochs', 'teacher', 'epochs'],
  ['studentEpochs', 'student', 'epochs'],
];
const PARTS = ['shared', 'teacher', 'student'] as const;

/** The plan with what the form says otherwise than it; untouched, it is the plan itself. */
export function withFields(plan: Plan, changed: Partial<Fields>): Plan {
  if (Object.keys(changed).length === 0) return plan;
  const { shared = {}, teacher, student } = plan;
  let parts: Parts = { shared, teacher, student };
  const put = (name: PartName, path: readonly string[], value: Json): void => {
    parts = { ...parts, [name]: laid(parts[name], path, value) };
  };
  for (const [field, ...path] of ALIKE) {
    const value = changed[field];
    if (value === undefined) continue;
    // Where a plan says it now; else where all share it.
    const holders = PARTS.filter((name) => readPath(parts[name], ...path) !== undefined);
    for (const name of holders.length > 0 ? holders : (['shared'] as const)) put(name, path, value);
  }
  for (const [field, name, ...path] of OWN) {
    const value = changed[field] ?? undefined;
    if (value !== undefined) put(name, path, value);
  }
  const chosen = Object.entries(plan.arms).filter(([name]) =>
    (changed.arms ?? [name]).includes(name),
  );
  const arms = chosen.map(([name, { epochs: own, ...arm }]) => [
    name,
    // All students are as long as the form says.
    (changed.studentEpochs ?? null) === null && own !== undefined ? { ...arm, epochs: own } : arm,
  ]);
  const { shared: laidShared, ...laidOthers } = parts;
  return {
    ...plan,
    ...laidOthers,
    ...(Object.keys(laidShared).length === 0 ? {} : { shared: laidShared }),
    arms: Object.fromEntries(arms),
    ...(changed.seed === undefined ? {} : { seeds: [changed.seed] }),
  };
}

/** The runs of a plan before any has begun, as the form's first sight; the worker reads the plan itself. */
export function runsIn({ shared, teacher, student, arms, seeds }: Plan): readonly RunView[] {
  const run = (name: string, ...parts: readonly (Part | undefined)[]): RunView => ({
    ...{ name, seed: seeds[0] ?? 0, history: [], secondsPerEpoch: null, epochsTo99: null },
    epochs: Number(parts.find((part) => part?.epochs !== undefined)?.epochs ?? 0),
  });
  return [
    run('teacher', teacher, shared),
    ...Object.entries(arms).map(([name, arm]) => run(name, arm, student, shared)),
  ];
}
