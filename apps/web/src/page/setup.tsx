/** What to train: a preset, and what to change of it; or a file that says it all. */
import type { Plan } from '@grok/study';
import type { Choice } from '../protocol.js';
import { type Fields, fieldsOf, presets } from './presets.js';

export interface Draft {
  readonly base: Plan;
  readonly changed: Partial<Fields>;
}
const OPERATIONS = [
  ['add', 'a + b'],
  ['sub', 'a − b'],
  ['mul', 'a × b'],
  ['div', 'a ÷ b'],
] as const;

export function Setup({
  draft,
  choice,
  cores,
  backends,
  busy,
  onDraft,
  onChoice,
  onStart,
}: {
  draft: Draft;
  choice: Choice;
  cores: number;
  backends: readonly { name: string; summary: string }[];
  busy: boolean;
  onDraft: (draft: Draft) => void;
  onChoice: (choice: Choice) => void;
  onStart: () => void;
}) {
  const { base, changed } = draft;
  const all = Object.keys(base.arms);
  const now = { ...fieldsOf(base), ...changed };
  const change = (more: Partial<Fields>): void =>
    onDraft({ base, changed: { ...changed, ...more } });
  const number = (
    label: string,
    key: 'p' | 'teacherDim' | 'studentDim' | 'depth' | 'heads' | 'epochs' | 'seed',
    least = 1,
  ) => (
    <label>
      {label}
      <input
        type="number"
        name={key}
        min={least}
        step="1"
        required
        value={now[key]}
        onInput={(event) => change({ [key]: event.currentTarget.valueAsNumber })}
      />
    </label>
  );
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
        <label class="wide">
          Begin with
          <select
            name="preset"
            value={base.name in presets ? base.name : ''}
            onChange={(event) =>
              onDraft({ base: presets[event.currentTarget.value]!, changed: {} })
            }
          >
            {base.name in presets ? null : <option value="">{base.name}</option>}
            {Object.keys(presets).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <p class="note wide">{base.summary}</p>
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
        {all.length > 0 && number('Students’ width', 'studentDim')}
        {number('Blocks', 'depth')}
        {number('Heads', 'heads')}
        {number('Epochs', 'epochs')}
        {number('Seed', 'seed', 0)}
      </fieldset>
      {all.length > 0 && (
        <fieldset disabled={busy} class="arms">
          <legend>Students</legend>
          {all.map((arm) => (
            <label key={arm} class="tick">
              <input
                type="checkbox"
                name={`arm-${arm}`}
                checked={now.arms.includes(arm)}
                onChange={(event) =>
                  change({
                    arms: all.filter((one) =>
                      one === arm ? event.currentTarget.checked : now.arms.includes(one),
                    ),
                  })
                }
              />
              {arm === 'none' ? 'without a teacher' : arm}
            </label>
          ))}
        </fieldset>
      )}
      <fieldset disabled={busy}>
        <legend>On what</legend>
        <label class="wide">
          Backend
          <select
            name="backend"
            value={choice.backend}
            onChange={(event) => onChoice({ ...choice, backend: event.currentTarget.value })}
          >
            {(backends.length > 0 ? backends : [{ name: choice.backend, summary: '' }]).map(
              ({ name }) => (
                <option key={name}>{name}</option>
              ),
            )}
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
      </fieldset>
      <button type="submit" class="primary" disabled={busy}>
        Start
      </button>
      <p class="note">
        Everything is computed here, in this browser. You may also drop a plan, a specification, or
        the folder of a run (or its zip) on this page.
      </p>
    </form>
  );
}
