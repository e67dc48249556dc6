/** Features by kind and name, as a registry gives them: this package knows none of them itself. */
import { type ComponentDefinition, type HostArray, type Kind, parseOptions } from '@grok/core';
import { type Created, formatSubject } from '@grok/core/internal';
import * as tf from '@grok/tfjs';

/** Finds a component, such as a registry's `get`. */
export type Find = <K extends Kind>(kind: K, name: string) => ComponentDefinition<K>;

/** Creates what a component offers, its options checked. */
export function make<K extends Kind>(
  find: Find,
  kind: K,
  name: string,
  options: unknown = {},
): Created[K] {
  const found = find(kind, name);
  return found.create(parseOptions(formatSubject(found), found.options, options), { tf });
}

/** Analyses of activations for cases of kind `metrics`. */
export interface ParityMetrics {
  /** Biased linear CKA of `[n, d₁]` and `[n, d₂]`. */
  cka(x: HostArray, y: HostArray): number;
  /** (Σs)² / Σs² over singular values above `threshold` times the largest, uncentered. */
  participation(x: HostArray, threshold: number): number;
  /** Mean entropy in nats of patterns `[batch, head, query, key]`. */
  attentionEntropy(pattern: HostArray): number;
}
