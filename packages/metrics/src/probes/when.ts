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

/** @throws InputError when both ways are given. */
export function whenOf(
  options: { every?: number | undefined; crossing?: number | undefined },
  otherwise: When,
): When {
  if (options.every !== undefined && options.crossing !== undefined)
    throw new InputError('a probe runs "every" n epochs or at a "crossing"; give one, not both');
  if (options.every !== undefined) return { every: options.every };
  return options.crossing === undefined ? otherwise : { crossing: options.crossing };
}

/** @throws InputError for the first rows of the training set, which no snapshot offers. */
export function rowsOf(options: {
  rows: 'train' | 'validation';
  first?: number | undefined;
}): NonNullable<Probe['needs']['rows']> {
  if (options.first === undefined) return options.rows;
  if (options.rows === 'train')
    throw new InputError('a probe\'s "first" counts validation rows; leave out "rows": "train"');
  return options.first;
}
