/** Where the pages and the sources lie. */
import { fileURLToPath } from 'node:url';

/** The repository's root, with a slash. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));
/** The folder of the pages. */
export const docs = `${root}docs`;
