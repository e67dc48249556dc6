/**
 * Everything except a few named files runs in a browser: no Node built-ins, no packages that need
 * Node, no Node globals, and no static import of one of the named files.
 */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { type Fault, findPackages, isSource, type Rule } from './files.js';
import { type Import, parseSource } from './source.js';

/** Files that may use Node. */
const NODE_FILES: readonly RegExp[] = [
  /^apps\/cli\//,
  /^apps\/docs\//,
  /^packages\/create-plugin\//,
  /^packages\/backend-node-gpu\//,
  /^packages\/executor-.+\//,
  /^packages\/store-s3\//,
  /^packages\/core\/src\/node\//,
  /^packages\/backend-onnx\/src\/(.+\/)?(.+[.-])?node\.ts$/,
  /^packages\/backend-onnx\/src\/node\//,
  /^packages\/interp\/src\/node\.ts$/,
  /^packages\/study\/src\/(.+\/)?process(-.+)?\.ts$/,
  /^packages\/track-(mlflow|trackio|wandb)\//,
  /^packages\/track\/src\/python\.ts$/,
];
const NODE_PACKAGES =
  /^(@grok\/core\/node|@grok\/track\/python|onnxruntime-node|@tensorflow\/tfjs-node(-gpu)?)(\/|$)/;
const NODE_GLOBALS = ['process', 'Buffer', 'require', '__dirname', '__filename', 'global'];
/** Allowed if the file checks `typeof setImmediate` first. */
const DETECTABLE = ['setImmediate', 'clearImmediate'];

/** True for a file that may use Node. */
const isNodeFile = (path: string): boolean => NODE_FILES.some((file) => file.test(path));

/** Files that run in a browser use nothing from Node. */
export const browserFilesAvoidNode: Rule = (files) =>
  findPackages(files)
    .filter(
      ({ folder, manifest }) =>
        !folder.startsWith('examples/') || manifest.keywords?.includes('grok-plugin'),
    )
    .flatMap((pkg) => pkg.files.filter(({ path }) => isSource(pkg, path) && !isNodeFile(path)))
    .flatMap(({ path, text }) => {
      const { imports, globals, detected } = parseSource(path, text);
      const needsNode = [...NODE_GLOBALS, ...DETECTABLE.filter((name) => !detected.has(name))];
      return [
        ...imports.flatMap((each) => importFaults(path, each)),
        ...needsNode
          .filter((name) => globals.has(name))
          .map((name) => ({
            file: path,
            rule: `uses the global ${name}, but must run in a browser`,
            fix: `${ELSEWHERE}, or pass the value in.`,
          })),
      ];
    });

const ELSEWHERE = 'Move it to a file that may touch Node (tests/architecture/browser.ts)';

function importFaults(file: string, { from, how }: Import): Fault[] {
  if (how === 'type') return [];
  if (isBuiltin(from) || NODE_PACKAGES.test(from))
    return [
      {
        file,
        rule: `imports ${from}, but must run in a browser`,
        fix: `${ELSEWHERE}, or use the web's own.`,
      },
    ];
  const target = posix.join(posix.dirname(file), from).replace(/\.js$/, '.ts');
  if (how !== 'static' || !from.startsWith('.') || !isNodeFile(target)) return [];
  return [
    {
      file,
      rule: `imports ${from} at load time, which touches Node`,
      fix: 'Import it dynamically, or give it an entry of its own.',
    },
  ];
}
