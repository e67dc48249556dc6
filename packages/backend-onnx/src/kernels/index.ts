/** Every tfjs kernel that the backend records. */
import { comparisons } from './compare.js';
import { elementwise } from './elementwise.js';
import { gathers } from './gather.js';
import { products } from './matmul.js';
import { reductions } from './reduce.js';
import { shapes } from './shape.js';
import type { Kernels } from './types.js';

export type { Inputs, Kernel } from './types.js';

export const kernels: Kernels = {
  ...elementwise,
  ...comparisons,
  ...products,
  ...reductions,
  ...shapes,
  ...gathers,
};
