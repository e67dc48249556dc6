/** Turns what a component creates into what is used: a backend's adapter becomes a backend. */
import type { BackendAdapter, Created, Kind, Product } from '../contracts/types.js';
import { createBackend } from '../tensors/backend.js';

/** What the caller who asked for a component receives. */
export function finishProduct<K extends Kind>(
  of: { readonly kind: K; readonly name: string },
  created: Created[K],
): Product<K>;
export function finishProduct(
  { kind, name }: { readonly kind: Kind; readonly name: string },
  created: Created[Kind],
): unknown {
  if (kind !== 'backend') return created;
  return Promise.resolve(created as Created['backend']).then((adapter: BackendAdapter) =>
    createBackend(name, adapter),
  );
}
