/** A run's id leaves its length out, so that two runs of a plan which differ in nothing else are one run. */
import { experimentHash, InputError } from '@grok/core';
import { expandPlan, keyOf, type Plan } from './plan.js';

/** @throws InputError that names two runs of one id and of different lengths. */
export function checkLengths(plan: Plan): void {
  const identities = new Map<string, string>();
  const first = new Map<string, { key: string; epochs: number }>();
  for (const planned of expandPlan(plan)) {
    const key = keyOf(planned);
    const { epochs } = planned.experiment;
    const teachers = Object.entries(planned.needs).map(
      ([as, name]) => `${as} ${identities.get(keyOf({ ...planned, name }))}`,
    );
    const identity = [experimentHash(planned.experiment), ...teachers].join(' ');
    identities.set(key, identity);
    const other = first.get(identity) ?? { key, epochs };
    first.set(identity, other);
    if (other.epochs !== epochs)
      throw new InputError(
        `${plan.name}: ${other.key} and ${key} are one run, with ${other.epochs} epochs and with ${epochs}; give both one length, or let them differ in more than that`,
      );
  }
}
