/** Options that every probe shares: when it runs, and over which rows. */
import { InputError, integer, number, type Probe, type When } from '@grok/core';

/** When a probe runs; neither option: the probe's own default. */
export interface WhenOptions {
  /** Every n epochs. */
  readonly every?: number;
  /** When validation accuracy (0–1) first reaches this value. */
  readonly crossing?: number;
}
/** Which rows a probe sees. */
export interface RowsOptions {
  /** Default `validation`. */
  readonly rows?: 'train' | 'validation';
  /** Only the first n validation rows. */
  readonly first?: number;
}

type MaybeInteger = ReturnType<ReturnType<typeof integer>['optional']>;
type MaybeNumber = ReturnType<ReturnType<typeof number>['optional']>;

/** Schema of `every`. */
export const every: MaybeInteger = integer().positive().optional();
/** Schema of `crossing`. */
export const crossing: MaybeNumber = number().positive().max(1).optional();
/** Schema of `first`. */
export const first: MaybeInteger = integer().positive().optional();

/** When the probe of that name runs. @throws InputError when both ways are given. */
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

/** Rows of the probe of that name. @throws InputError for the first rows of the training set, which no snapshot offers. */
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
