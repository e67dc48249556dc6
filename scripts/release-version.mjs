/** `npm run release:version` applies the changesets: new versions, changelogs, and the versions repeated in source. */
import { publicPackages, run } from './release/packages.mjs';
import { writeVersions } from './release/versions.mjs';

const before = new Map(publicPackages().map(({ manifest }) => [manifest.name, manifest.version]));
run(process.execPath, ['node_modules/@changesets/cli/bin.js', 'version']);
writeVersions(before);
for (const { manifest } of publicPackages())
  if (before.get(manifest.name) !== manifest.version)
    console.log(`${manifest.name} ${before.get(manifest.name)} → ${manifest.version}`);
