/** `npm run docs:api` writes the reference, `docs/api`, from the docstrings, help texts and schemas in the build. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiFolder, describeAll, pagesOf, readReference, undocumented } from './api/pages.mjs';

const all = describeAll();
const pages = { ...pagesOf(all), ...readReference().pages };
rmSync(apiFolder, { recursive: true, force: true });
mkdirSync(apiFolder, { recursive: true });
for (const [name, text] of Object.entries(pages)) writeFileSync(join(apiFolder, name), text);
const missing = undocumented(all);
const count = all.flatMap(({ entries }) => entries.flatMap(({ declared }) => declared)).length;
console.log(`${all.length} packages, ${count} exports, ${missing.length} without a docstring`);
for (const line of missing) console.log(line);
