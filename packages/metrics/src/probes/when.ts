/** Options that all probes share: when they run, and on which rows. */
import { InputError, integer, number, type Probe, type When } from '@grok/core';

/** When a probe runs; without either option, at the probe's default. */
export interface WhenOptions {
  /** Every n epochs. */
  readonly every?: number;
  /** When validation accuracy (0–1) first reaches this value. */
  readonly crossing?: number;
}
/** The rows that a probe runs on. */
export interface RowsOptions {
  /** Default `validation`. */
  readonly rows?: 'train' | 'validation';
  /** Only the first n validation rows. */
  readonly first?: number;
}

type MaybeInteger = ReturnType<ReturnType<typeof integer>['optional']>;
type MaybeNumber = ReturnType<ReturnType<typeof number>['optional']>;

/** Schema of the option `every`. */
export const every: MaybeInteger = integer().positive().optional().describe('run every n epochs');
/** Schema of the option `crossing`. */
export const crossing: MaybeNumber = number()
  .positive()
  .max(1)
  .optional()
  .describe('run when validation accuracy first reaches this value');
/** Schema of the option `first`. */
export const first: MaybeInteger = integer()
  .positive()
  .optional()
  .describe('use only the first n validation rows');

/** When the probe of this name runs. @throws InputError if both options are given. */
export function parseWhen(
  probe: string,
  { every, crossing }: { every?: number | undefined; crossing?: number | undefined },
  otherwise: When,
): When {
  if (every !== undefined && crossing !== undefined)
    throw new InputError(
      `probe "${probe}": runs "every" n epochs or at a "crossing", got every ${every} and crossing ${crossing}; give one, not both`,
    );
  if (every !== undefined) return { every };
  return crossing === undefined ? otherwise : { crossing };
}

/** Rows of the probe of this name. @throws InputError for the first rows of the training set, which snapshots don't have. */
export function chooseRows(
  probe: string,
  { rows, first }: { rows: 'train' | 'validation'; first?: number | undefined },
): NonNullable<Probe['needs']['rows']> {
  if (first === undefined) return rows;
  if (rows === 'train')
    throw new InputError(
      `probe "${probe}": "first" counts validation rows, got first ${first} of rows "train"; leave one out`,
    );
  return first;
}
