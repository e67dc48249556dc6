// A task with numbers as inputs: how many of four points in the plane are inside the unit circle.
// The points come from a Weyl sequence, so every call gives the same rows.
const inside = (x, y) => x * x + y * y < 1;

export const points = {
  kind: 'task',
  name: 'points',
  summary: 'How many of four points lie inside the unit circle.',
  options: {
    type: 'object',
    properties: { rows: { type: 'integer', minimum: 10, default: 400 } },
    additionalProperties: false,
  },
  create({ rows }) {
    const at = (i) => ((i * Math.SQRT2) % 2.6) - 1.3;
    const other = (i) => ((i * Math.sqrt(3)) % 2.6) - 1.3;
    const numbers = Array.from({ length: 4 * rows }, (_, i) => [at(i + 1), other(i + 1)]);
    const drawPoints = (row) => numbers.slice(4 * row, 4 * row + 4);
    const count = (row) => drawPoints(row).filter(([x, y]) => inside(x, y)).length;
    return {
      vocabulary: 5,
      inputs: { shape: [rows, 4, 2], dtype: 'float32', data: Float32Array.from(numbers.flat()) },
      labels: Int32Array.from({ length: rows }, (_, row) => count(row)),
      show: (row) =>
        `${count(row)} of ${drawPoints(row).map(([x, y]) => `(${x.toFixed(2)}, ${y.toFixed(2)})`)}`,
    };
  },
};
