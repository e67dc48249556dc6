/** Looks up features by kind and name, as in a registry; this package depends on none of them. */
import { type ComponentDefinition, type HostArray, type Kind, parseOptions } from '@grok/core';
import { type Created, formatSubject } from '@grok/core/internal';
import * as tf from '@grok/tfjs';

/** Finds a component, such as a registry's `get`. */
export type Find = <K extends Kind>(kind: K, name: string) => ComponentDefinition<K>;

/** Creates a component's product, with its options checked. */
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
