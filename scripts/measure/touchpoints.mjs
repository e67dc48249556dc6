/**
 * Counts how many files mention one representative of a kind, as an estimate of what a new one
 * would touch. Each is found by a name that has no other meaning there; keep the names up to date
 * by hand.
 */
const PROBES = [
  { kind: 'a key of an experiment', mentions: /\bevalEvery\b/, where: /^/ },
  // Elsewhere, `silu` is the activation.
  { kind: 'a rewrite rule', mentions: /\bsilu\b/i, where: /^packages\/(backend-onnx|testing)\// },
  { kind: 'a site of the model', mentions: /hook_mlp_out/, where: /^/ },
];

/**
 * @typedef {import('./sources.mjs').Source} Source
 * @param {readonly Source[]} sources @param {readonly Source[]} tests
 * @returns {{ kind: string, probe: string, files: string[], tests: string[] }[]}
 */
export function findTouchpoints(sources, tests) {
  return PROBES.map(({ kind, mentions, where }) => {
    const find = (/** @type {readonly Source[]} */ among) =>
      among
        .filter(({ path, text }) => where.test(path) && mentions.test(text))
        .map(({ path }) => path);
    return { kind, probe: mentions.source, files: find(sources), tests: find(tests) };
  });
}
