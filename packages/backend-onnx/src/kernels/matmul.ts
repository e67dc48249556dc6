/**
 * Matrix products. Two-dimensional ones become Gemm, whose transpose flags are free; batched ones
 * become onnxruntime's FusedMatMul, which also has transpose flags.
 */
import { sizeOf } from '@grok/core';
import * as tf from '@grok/tfjs';
import type { Builder } from '../builder.js';
import { emit, emitAdd, emitOwn, reshape, transpose } from '../builder.js';
import { broadcast, type Value } from '../graph.js';
import { activate } from './elementwise.js';
import type { Kernels } from './types.js';

/** `op(a) · op(b)` over the last two axes, with the others broadcast. */
function matMul(b: Builder, x: Value, y: Value, transposeX: boolean, transposeY: boolean): Value {
  const [batchX, batchY] = [x.shape.slice(0, -2), y.shape.slice(0, -2)];
  const [rows, inner] = lastTwo(x, transposeX);
  const columns = lastTwo(y, transposeY)[1];
  const shape = [...broadcast(batchX, batchY), rows, columns];
  const type = x.type;
  if (type !== 'float32') {
    const factors = [swapIf(transposeX, b, x), swapIf(transposeY, b, y)];
    return emit(b, 'MatMul', factors, { type, shape });
  }
  const attributes = { transA: Number(transposeX), transB: Number(transposeY) };
  // A batch of rows times one matrix is a single taller product.
  const isTall = sizeOf(batchY) === 1 && (sizeOf(batchX) === 1 || !transposeX);
  if (!isTall) return emitOwn(b, 'FusedMatMul', [x, y], { type, shape }, attributes);
  const tall = sizeOf(batchX) * rows;
  const left = reshape(b, x, transposeX ? [inner, rows] : [tall, inner]); // [batch·rows, inner]
  const right = reshape(b, y, y.shape.slice(-2)); // [inner, columns]
  const product = emit(b, 'Gemm', [left, right], { type, shape: [tall, columns] }, attributes);
  return reshape(b, product, shape); // [batch…, rows, columns]
}

function lastTwo(x: Value, transposed: boolean): [number, number] {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}
/** Swaps the last two axes if `transposed`. */
function swapIf(transposed: boolean, b: Builder, x: Value): Value {
  if (!transposed) return x;
  const axes = x.shape.map((_, axis) => axis);
  return transpose(b, x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

interface MatMulAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
export const products: Kernels = {
  Einsum: (b, inputs, { equation }: { equation: string }) => {
    const operands: Value[] = Object.values(inputs as object);
    const { allDims, summedDims, idDims } = tf.backend_util.decodeEinsumEquation(
      equation,
      operands.length,
    );
    const extents = allDims.map((_, dim) => {
      const i = idDims.findIndex((dims) => dims.includes(dim));
      return operands[i]!.shape[idDims[i]!.indexOf(dim)]!;
    });
    // Letters of the result are numbered first.
    const shape = extents.slice(0, allDims.length - summedDims.length);
    const type = operands[0]!.type;
    return emit(b, 'Einsum', operands, { type, shape }, { equation });
  },
  BatchMatMul: (b, { a, b: c }, { transposeA, transposeB }: MatMulAttrs) =>
    matMul(b, a, c, transposeA, transposeB),
  _FusedMatMul: (
    b,
    { a, b: c, bias, preluActivationWeights: weights },
    attrs: MatMulAttrs & { activation?: string; leakyreluAlpha?: number },
  ) => {
    const product = matMul(b, a, c, attrs.transposeA, attrs.transposeB);
    const sum = bias === undefined ? product : emitAdd(b, product, bias);
    const alpha = attrs.leakyreluAlpha;
    return activate(b, sum, attrs.activation ?? 'linear', { alpha, weights });
  },
};
