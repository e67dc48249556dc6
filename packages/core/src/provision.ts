/**
 * Two doors, one room: `logit({ temperature: 2 })` in code and `{ "use": "logit" }` in a spec reach
 * the same `create`, through the same check of options.
 */
import * as tf from '@grok/tfjs';
import { parseOptions } from './options.js';
import type { Created, Host, Kind, Provision } from './types.js';

/** A provision that can also be called: options in (all optional), the created thing out. */
export type Callable<K extends Kind, I = Record<string, never>> = Provision<K> &
  ((options?: I) => Created[K]);

/** Declares a provision; `create` gets validated options and `{ tf }`. */
export function provision<K extends Kind, I, O>(definition: {
  kind: K;
  name: string;
  summary: string;
  options: {
    readonly '~standard': {
      readonly version: 1;
      readonly vendor: string;
      validate(value: unknown): unknown;
      readonly types?: { readonly input: I; readonly output: O } | undefined;
    };
  };
  create(options: O, host: Host): Created[K];
}): Callable<K, I> {
  const made = definition as unknown as Provision<K>;
  const call = (options?: I): Created[K] =>
    made.create(parseOptions(subjectOf(made), made.options, options), { tf });
  // A function's own `name` is not writable but may be redefined.
  for (const [key, value] of Object.entries(made))
    Object.defineProperty(call, key, { value, enumerable: true });
  return call as unknown as Callable<K, I>;
}

/** How a provision is called in errors: `strategy "logit"`. */
export function subjectOf(of: { kind: string; name: string }): string {
  return `${of.kind} "${of.name}"`;
}
