/** The Node versions to test in addition to the installed one, each fetched from the npm registry. */

/** By major version. */
export const NODES = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' };

/** The command that runs a program with a version of Node. @param {string} version */
export const withNode = (version) => [
  process.platform === 'win32' ? 'npx.cmd' : 'npx',
  '--yes',
  `node@${version}`,
];
