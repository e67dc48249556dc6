/**
 * The same model written for stock TensorFlow.js 4.22 in the usual way: eager, one-hot embedding (a
 * gather has no gradient on its WebAssembly backend), plain `matMul`. Gradients only, without
 * optimizer steps. For Node and for browsers.
 */
import * as tf from '@grok/tfjs';
import { BATCH, batches, division, generator, POSITIONS, shuffle, VOCABULARY } from '../task.mjs';

const depth = 2;

/** The model on the current tfjs backend, with its data. @param {{ dim: number, rate: number }} how */
export function openStock({ dim, rate }) {
  const weights = initialWeights(dim);
  const parameters = [
    weights.embedding,
    ...weights.blocks.flatMap((block) => Object.values(block)),
    weights.norm,
    weights.unembedding,
  ];
  const forward = forwardOf(weights, { dim, rate });
  const { train, validation } = division();
  const random = generator(1);

  function epoch() {
    const order = shuffle([...train.labels.keys()], random);
    const all = batches(order, BATCH);
    const start = performance.now();
    let loss = 0;
    for (const rows of all.slice(0, -1)) loss += step(rows);
    const whole = performance.now() - start;
    loss += step(all.at(-1));
    return {
      stepMs: whole / (all.length - 1),
      epochMs: performance.now() - start,
      loss: loss / all.length,
    };
  }
  /** Loss and all gradients of one batch; the gradients are computed and discarded. */
  function step(rows) {
    return tf.tidy(() => {
      const tokens = tokensOf(train, rows);
      const labels = tf.tensor1d(
        rows.map((i) => train.labels[i]),
        'int32',
      );
      const { value } = tf.variableGrads(
        () => tf.losses.softmaxCrossEntropy(tf.oneHot(labels, VOCABULARY), forward(tokens, true)),
        parameters,
      );
      return value.dataSync()[0];
    });
  }
  function evaluate(size) {
    let correct = 0;
    for (const rows of batches([...validation.labels.keys()], size))
      correct += tf.tidy(() => {
        const guesses = tf.argMax(forward(tokensOf(validation, rows), false), -1).dataSync();
        return rows.filter((row, i) => guesses[i] === validation.labels[row]).length;
      });
    return correct / validation.labels.length;
  }
  return { step, epoch, evaluate, parameters: parameters.reduce((sum, p) => sum + p.size, 0) };
}

/** Tokens of some rows, `[rows, pos]`. */
function tokensOf({ tokens }, rows) {
  return tf.tensor2d(
    rows.map((i) => tokens[i]),
    [rows.length, POSITIONS],
    'int32',
  );
}

function initialWeights(dim) {
  const weight = (rows, columns) =>
    tf.variable(tf.truncatedNormal([rows, columns], 0, rows ** -0.5 / 0.87962566));
  const scale = () => tf.variable(tf.ones([dim]));
  const embedding = tf.variable(tf.randomNormal([VOCABULARY, dim], 0, dim ** -0.5));
  const blocks = Array.from({ length: depth }, () => ({
    norm1: scale(),
    query: weight(dim, dim),
    key: weight(dim, dim),
    value: weight(dim, dim),
    out: weight(dim, dim),
    norm2: scale(),
    gate: weight(dim, 4 * dim),
    up: weight(dim, 4 * dim),
    down: weight(4 * dim, dim),
  }));
  const norm = scale();
  const unembedding = weight(dim, VOCABULARY);
  return { embedding, blocks, norm, unembedding };
}

/** Logits of the last position, `[batch, d_vocab]`, from tokens `[batch, pos]`. */
function forwardOf({ embedding, blocks, norm, unembedding }, { dim, rate }) {
  const rotate = rotation(dim);
  const causal = tf.tensor2d(
    Array.from({ length: POSITIONS ** 2 }, (_, i) => (i % POSITIONS > i / POSITIONS ? -1e9 : 0)),
    [POSITIONS, POSITIONS],
  );
  return (tokens, training) => {
    const dropout = (x) => (training && rate > 0 ? tf.dropout(x, rate) : x);
    let x = linear(tf.cast(tf.oneHot(tokens, VOCABULARY), 'float32'), embedding); // [batch, pos, d_model]
    for (const block of blocks) {
      const h = rmsNorm(x, block.norm1);
      const [q, k] = [rotate(linear(h, block.query)), rotate(linear(h, block.key))];
      const scores = tf.mul(tf.matMul(q, k, false, true), dim ** -0.5); // [batch, query, key]
      const mixed = tf.matMul(tf.softmax(tf.add(scores, causal)), linear(h, block.value));
      x = tf.add(x, dropout(linear(mixed, block.out)));
      const g = rmsNorm(x, block.norm2);
      const gate = linear(g, block.gate);
      const gated = tf.mul(tf.mul(gate, tf.sigmoid(gate)), linear(g, block.up));
      x = tf.add(x, linear(dropout(gated), block.down));
    }
    const last = tf.slice(x, [0, POSITIONS - 1, 0], [-1, 1, -1]);
    return linear(tf.reshape(rmsNorm(last, norm), [-1, dim]), unembedding); // [batch, d_vocab]
  };
}

function linear(x, w) {
  const rows = tf.reshape(x, [-1, w.shape[0]]); // [batch · pos, in]
  return tf.reshape(tf.matMul(rows, w), [...x.shape.slice(0, -1), w.shape[1]]);
}

const rmsNorm = (x, w) =>
  tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-6))), w);

/** Rotary positions on the two halves of the last axis. */
function rotation(dim) {
  const half = dim / 2;
  const angles = Array.from({ length: POSITIONS * half }, (_, i) => {
    const position = Math.floor(i / half);
    return position / 1e6 ** ((i % half) / half);
  });
  const cosines = tf.tensor2d(angles.map(Math.cos), [POSITIONS, half]);
  const sines = tf.tensor2d(angles.map(Math.sin), [POSITIONS, half]);
  return (x) => {
    const [first, second] = tf.split(x, 2, -1);
    return tf.concat(
      [
        tf.sub(tf.mul(first, cosines), tf.mul(second, sines)),
        tf.add(tf.mul(first, sines), tf.mul(second, cosines)),
      ],
      -1,
    );
  };
}
