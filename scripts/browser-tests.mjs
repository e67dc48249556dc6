/** Lists the packages' unit tests that also run in a browser, because they use nothing from Node. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = /^(core|data|model|optim|metrics|interp|distill-.+|backend-(onnx|wasm))$/;
const NODE =
  /from '(node:|@grok\/(core\/node|cli|backend-node-gpu)|onnxruntime-node)|\b(process\.|Buffer\b)/;

/** @returns {string[]} paths from the root */
export function browserTests() {
  return readdirSync(join(root, 'packages'))
    .filter((name) => PACKAGES.test(name) && existsSync(join(root, 'packages', name, 'test')))
    .flatMap((name) =>
      readdirSync(join(root, 'packages', name, 'test')).map(
        (file) => `packages/${name}/test/${file}`,
      ),
    )
    .filter((path) => /(?<!\.(browser|slow|page))\.test\.ts$/.test(path) && !needsNode(path));
}

/** @param {string} path @param {Set<string>} [seen] @returns {boolean} */
function needsNode(path, seen = new Set()) {
  if (seen.has(path)) return false;
  seen.add(path);
  if (!existsSync(join(root, path))) return false;
  const text = readFileSync(join(root, path), 'utf8');
  if (NODE.test(text)) return true;
  const beside = [...text.matchAll(/(?:from|import) '(\.\/[^']+)\.js'/g)];
  return beside.some(([, file]) => needsNode(join(dirname(path), `${file}.ts`), seen));
}
