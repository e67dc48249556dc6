/** The list of the teacher that comes with the site, read by the page and by its build. */
import { type DocumentKind, readDocument, type Shape, sha256Schema, z } from '@grok/core/internal';

/** What `teacher/files.json` says: which run it is, and the files of its folder. */
export interface Shipped {
  readonly run: string;
  readonly epochs: number;
  readonly files: readonly string[];
}
const FILES: DocumentKind<Shipped> = {
  schema: z.strictObject({
    run: sha256Schema,
    epochs: z.int().min(1),
    files: z.array(z.string().regex(/^[\w./-]+$/)),
  } satisfies Shape<Shipped>),
  remedy: 'publish the site again',
};

/** Reads the list. @throws InputError where it is no such file. */
export const readShipped = (bytes: Uint8Array): Shipped =>
  readDocument(bytes, 'teacher/files.json', FILES);
