import type { TermUse } from '@grok/core/internal';

/** True when nothing but hard labels makes the loss. */
export function isControl(experiment: { readonly objective?: readonly TermUse[] }): boolean {
  return (experiment.objective ?? []).every((term) => term.use === 'hard');
}
