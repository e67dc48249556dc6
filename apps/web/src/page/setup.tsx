/** What to train: a preset, and what to change of it; or a file that says it all. */
import type { Plan } from '@grok/study';
import type { Choice } from '../protocol.js';
import { ErrorMessage } from './error-message.js';
import { type Fields, presets, readFields } from './presets.js';

/** A plan and the fields changed in the form. */
export interface PlanDraft {
  readonly base: Plan;
  readonly changed: Partial<Fields>;
}
type Change = (more: Partial<Fields>) => void;

const OPERATIONS = [
  ['add', 'a + b'],
  ['sub', 'a − b'],
  ['mul', 'a × b'],
  ['div', 'a ÷ b'],
] as const;

/** The form. */
export function Setup({
  draft,
  busy,
  error,
  onDraft,
  onStart,
  ...machine
}: {
  draft: PlanDraft;
  /** What is wrong with what was to be started. */
  error: string | undefined;
  choice: Choice;
  cores: number;
  backends: readonly { name: string; summary: string }[];
  busy: boolean;
  onDraft: (draft: PlanDraft) => void;
  onChoice: (choice: Choice) => void;
  onStart: () => void;
}) {
  const { base, changed } = draft;
  const now = { ...readFields(base), ...changed };
  const arms = Object.keys(base.arms);
  const change: Change = (more) => onDraft({ base, changed: { ...changed, ...more } });
  return (
    <form
      class="setup"
      onSubmit={(event) => {
        event.preventDefault();
        onStart();
      }}
    >
      <fieldset disabled={busy}>
        <legend>What to train</legend>
        <PresetField base={base} onBase={(plan) => onDraft({ base: plan, changed: {} })} />
        <p class="note wide">{base.summary}</p>
        <ModelFields now={now} change={change} hasStudents={arms.length > 0} />
      </fieldset>
      {arms.length > 0 && (
        <fieldset disabled={busy} class="arms">
          <legend>Students</legend>
          {arms.map((arm) => (
            <ArmField key={arm} arm={arm} arms={arms} now={now} change={change} />
          ))}
        </fieldset>
      )}
      <fieldset disabled={busy}>
        <legend>On what</legend>
        <MachineFields {...machine} />
      </fieldset>
      <button type="submit" class="primary" disabled={busy}>
        Start
      </button>
      {error && <ErrorMessage message={error} />}
      <p class="note">
        Everything is computed here, in this browser. You may also drop a plan, a specification, or
        the folder of a run (or its zip) on this page.
      </p>
    </form>
  );
}

function PresetField({ base, onBase }: { base: Plan; onBase: (plan: Plan) => void }) {
  return (
    <label class="wide">
      Begin with
      <select
        name="preset"
        value={base.name in presets ? base.name : ''}
        onChange={(event) => {
          const plan = presets[event.currentTarget.value];
          if (plan !== undefined) onBase(plan);
        }}
      >
        {base.name in presets ? null : <option value="">{base.name}</option>}
        {Object.keys(presets).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

function ModelFields({
  now,
  change,
  hasStudents,
}: {
  now: Fields;
  change: Change;
  hasStudents: boolean;
}) {
  const number = (label: string, key: Exclude<keyof Fields, 'op' | 'arms'>, least = 1) => (
    <label>
      {label}
      <input
        type="number"
        name={key}
        min={least}
        step="1"
        required={now[key] !== null}
        placeholder={now[key] === null ? 'differ' : ''}
        value={now[key] ?? ''}
        onInput={({ currentTarget: { value, valueAsNumber } }) =>
          change({ [key]: value === '' && now[key] === null ? null : valueAsNumber })
        }
      />
    </label>
  );
  return (
    <>
      <label>
        Task
        <select
          name="op"
          value={now.op}
          onChange={(event) => change({ op: event.currentTarget.value })}
        >
          {OPERATIONS.map(([op, text]) => (
            <option key={op} value={op}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {number('modulo', 'p', 2)}
      {number('Teacher’s width', 'teacherDim')}
      {hasStudents && number('Students’ width', 'studentDim')}
      {number('Blocks', 'depth')}
      {number('Heads', 'heads')}
      {number('Teacher’s epochs', 'teacherEpochs')}
      {hasStudents && number('Students’ epochs', 'studentEpochs')}
      {number('Seed', 'seed', 0)}
    </>
  );
}

function ArmField({
  arm,
  arms,
  now,
  change,
}: {
  arm: string;
  arms: readonly string[];
  now: Fields;
  change: Change;
}) {
  const withArm = (checked: boolean): readonly string[] =>
    arms.filter((one) => (one === arm ? checked : now.arms.includes(one)));
  return (
    <label class="tick">
      <input
        type="checkbox"
        name={`arm-${arm}`}
        checked={now.arms.includes(arm)}
        onChange={(event) => change({ arms: withArm(event.currentTarget.checked) })}
      />
      {arm === 'none' ? 'without a teacher' : arm}
    </label>
  );
}

function MachineFields({
  choice,
  cores,
  backends,
  onChoice,
}: {
  choice: Choice;
  cores: number;
  backends: readonly { name: string; summary: string }[];
  onChoice: (choice: Choice) => void;
}) {
  const names = backends.length > 0 ? backends.map(({ name }) => name) : [choice.backend];
  return (
    <>
      <label class="wide">
        Backend
        <select
          name="backend"
          value={choice.backend}
          onChange={(event) => onChoice({ ...choice, backend: event.currentTarget.value })}
        >
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Threads
        <input
          type="number"
          name="threads"
          min="1"
          max={cores}
          value={Math.min(choice.threads, cores)}
          disabled={cores === 1}
          onInput={(event) => onChoice({ ...choice, threads: event.currentTarget.valueAsNumber })}
        />
      </label>
    </>
  );
}
