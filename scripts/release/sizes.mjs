/** The table of sizes, `docs/notes/sizes.md`: packed and installed size of each package, and its budget. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './packages.mjs';

const file = join(root, 'docs/notes/sizes.md');

/** @typedef {{ name: string, packed: number, installed: number, budget: number }} Size kB, MB, kB */

/** The rows of a table. @param {string} [text] @returns {Size[]} */
export function readSizes(text = existsSync(file) ? readFileSync(file, 'utf8') : '') {
  const row = /^\| `(\S+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$/gm;
  return [...text.matchAll(row)].map(([, name = '', packed, budget, installed]) => ({
    name,
    packed: Number(packed),
    budget: Number(budget),
    installed: Number(installed),
  }));
}

/** A budget leaves 25 % of headroom, in steps of 5 kB. @param {number} packed kB */
const budgetFor = (packed) => Math.ceil((packed * 1.25) / 5) * 5;

/** @param {readonly Size[]} sizes @returns {string} */
export function tableOf(sizes) {
  return `# Sizes

What each package weighs: packed as it is downloaded, and installed with all that it depends on
(required peers included, optional ones not). A package over its budget fails \`npm run release:dry\`;
\`npm run release:dry -- --write\` measures anew, and budgets are raised by hand.

| package | packed, kB | budget, kB | installed, MB |
|---|---|---|---|
${sizes.map((s) => `| \`${s.name}\` | ${s.packed} | ${s.budget} | ${s.installed} |`).join('\n')}
`;
}

/** Writes the table; budgets are kept. @param {readonly Omit<Size, 'budget'>[]} measured */
export function writeSizes(measured) {
  const known = new Map(readSizes().map(({ name, budget }) => [name, budget]));
  const sizes = measured.map((s) => ({ ...s, budget: known.get(s.name) ?? budgetFor(s.packed) }));
  writeFileSync(file, tableOf(sizes));
}

/**
 * Packages over budget, or missing from the table. @param {readonly Omit<Size, 'budget'>[]}
 * measured @param {readonly Size[]} table
 */
export function sizeFaults(measured, table) {
  return measured.flatMap(({ name, packed }) => {
    const budget = table.find((row) => row.name === name)?.budget;
    if (budget === undefined)
      return [`${name}: docs/notes/sizes.md lacks it; run npm run release:dry -- --write`];
    if (packed <= budget) return [];
    return [
      `${name}: weighs ${packed} kB packed, its budget is ${budget} kB; make it smaller, or raise the budget in docs/notes/sizes.md`,
    ];
  });
}
