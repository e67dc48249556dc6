/**
 * Everything in a release except publishing: `npm run release:dry` lists the due versions, packs
 * every package, checks the tarballs (publint, attw, our own rules) and measures their sizes.
 * `--write` updates the table of sizes; `--out DIR` keeps the tarballs.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { faultsOf } from './release/check.mjs';
import { installBytes, packAll, publicPackages, tarballName } from './release/packages.mjs';
import { readSizes, sizeFaults, writeSizes } from './release/sizes.mjs';
import { dueVersions } from './release/versions.mjs';

/** Checks what a release would publish; returns faults, one line each. @param {string} into */
export async function dryRun(into, { write = false, log = console.log } = {}) {
  for (const line of await dueVersions()) log(line);
  packAll(into);
  const faults = [];
  const sizes = [];
  for (const { folder, manifest } of publicPackages()) {
    const tarball = join(into, tarballName(manifest));
    faults.push(...(await faultsOf(tarball, manifest)));
    const packed = round(statSync(tarball).size / 1e3);
    const installed = round(installBytes(folder) / 1e6);
    sizes.push({ name: manifest.name, packed, installed });
    log(`${manifest.name} ${manifest.version}: ${packed} kB packed, ${installed} MB installed`);
  }
  if (write) writeSizes(sizes);
  return [...faults, ...sizeFaults(sizes, readSizes())];
}

/** @param {number} x */
const round = (x) => Math.round(x * 10) / 10;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { write: { type: 'boolean' }, out: { type: 'string' } },
  });
  const into = values.out ? resolve(values.out) : mkdtempSync(join(tmpdir(), 'grok-release-'));
  mkdirSync(into, { recursive: true });
  const faults = await dryRun(into, { write: values.write === true });
  if (!values.out) rmSync(into, { recursive: true });
  for (const fault of faults) console.error(fault);
  console.log(`${publicPackages().length} packages, ${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
