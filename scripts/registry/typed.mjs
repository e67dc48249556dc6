/** TypeScript programs of users, checked with the strictest options. */
import { fileURLToPath } from 'node:url';
import { must } from './folder.mjs';

export const TYPESCRIPT = 'typescript@7.0.2';
export const TSC = [
  ...['--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2023,dom'],
  ...['--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--skipLibCheck'],
  ...['--types', ''],
];

/** A teacher and its student with a given strategy. @param {import('./folder.mjs').UserFolder} user @param {string} name */
export function trains(user, name) {
  user.copy(fileURLToPath(new URL('train.ts', import.meta.url)));
  user.run('npx', 'tsc', ...TSC, 'train.ts');
  const out = user.run('node', 'train.js', name);
  must(/^\w+: [\d.]+ → [\d.]+$/m.test(out), out);
  return out.trim();
}
