/** `npm start -- ...` installs and builds what has changed, then runs the command line in this process. */
import './setup.mjs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildOrExit } from './build.mjs';

const cli = join(buildOrExit(), 'apps/cli/dist/cli.js');
process.argv[1] = cli;
await import(pathToFileURL(cli).href);
