#!/usr/bin/env node
import { version } from './version.js';

const argv = process.argv.slice(2);
// All else takes ten times as long to load.
if (argv.length === 1 && argv[0] === '--version') process.stdout.write(`${version}\n`);
else {
  const [{ main }, { processIo }] = await Promise.all([
    import('./main.js'),
    import('./process-io.js'),
  ]);
  process.exitCode = await main(argv, processIo());
}
