/**
 * Finds the source of each node in a traced graph. A trace names each node after the innermost tfjs
 * op; here that name gets a number, under which the calling lines are kept. Nodes recorded by a
 * gradient function are attributed to the line whose gradient they compute.
 */

/** @typedef {{ fn: string, file: string, line: number }} Frame from the outermost call to the innermost */
/** @typedef {{ phase: 'forward' | 'backward' | 'optimizer', frames: readonly Frame[] }} Origin */

/**
 * Watches tfjs's engine from now on; source maps must be on before the traced code is loaded.
 * @param {any} engine
 * @returns {(nodeName: string) => Origin | undefined} origin of a node by its name
 */
export function annotate(engine) {
  Error.stackTraceLimit = 200;
  /** @type {Origin[]} */
  const origins = [];
  /** @type {Frame[] | undefined} lines of the op whose gradient is being recorded */
  let gradientOf;

  const here = () => {
    const stack = new Error().stack ?? '';
    const frames = parse(stack);
    const backward = gradientOf !== undefined || stack.includes('backpropagateGradients');
    return { frames: [...(gradientOf ?? []), ...own(frames, backward)], backward };
  };
  const startScope = engine.startScope.bind(engine);
  engine.startScope = (name) => {
    if (!name?.endsWith('__op')) return startScope(name);
    const { frames, backward } = here();
    const optimizes = frames.some(({ file }) => /packages\/optim\//.test(file));
    const phase = backward ? 'backward' : optimizes ? 'optimizer' : 'forward';
    origins.push({ phase, frames });
    return startScope(`${name.slice(0, -'__op'.length)}#${origins.length - 1}__op`);
  };
  const during = (frames, body) => {
    const before = gradientOf;
    gradientOf = frames;
    try {
      return body();
    } finally {
      gradientOf = before;
    }
  };
  const addTapeNode = engine.addTapeNode.bind(engine);
  engine.addTapeNode = (...args) => {
    addTapeNode(...args);
    const node = engine.state.activeTape.at(-1);
    const { gradient } = node;
    if (gradient === undefined) return;
    const { frames } = here();
    // A gradient is an object of functions by input, called later.
    node.gradient = (dys) =>
      Object.fromEntries(
        Object.entries(during(frames, () => gradient(dys))).map(([input, thunk]) => [
          input,
          () => during(frames, thunk),
        ]),
      );
  };
  return (nodeName) => origins[Number(/#(\d+)/.exec(nodeName)?.[1] ?? Number.NaN)];
}

/** Frames of this repository's packages, outermost first. @param {string} stack @returns {Frame[]} */
export function parse(stack) {
  const frames = [];
  for (const text of stack.split('\n')) {
    const found =
      /^\s*at (?:async )?(?:(.+?) \()?(?:file:\/\/)?(?:\/.*?)?\b(packages\/(?!tfjs\/)[^:()]+):(\d+):\d+\)?$/.exec(
        text,
      );
    if (found === null || text.includes('node_modules')) continue;
    const fn =
      (found[1] ?? '')
        .replace(/^(new|Object\.|Module\.)\s*/, '')
        .split('.')
        .at(-1) ?? '';
    frames.unshift({ fn: fn === '<anonymous>' ? '' : fn, file: found[2], line: Number(found[3]) });
  }
  return frames;
}

/** The relevant frames: from the step's function on; for a gradient, only from its op on. */
function own(frames, backward) {
  const plumbing = /packages\/(backend-[^/]+|core\/(src|dist)\/(trainer|programs|run|params))/;
  const shown = frames.filter(({ file }) => !plumbing.test(file));
  if (!backward) return shown;
  // Only tfjs is between the step and the gradient.
  const step = shown.findLastIndex(({ file }) => /core\/(src|dist)\/step/.test(file));
  return shown.slice(step + 1);
}
