/**
 * The linear sum assignment problem by shortest augmenting paths (Jonker and Volgenant 1987; Crouse 2016). The
 * kept library for it brings in megabytes of signal processing.
 */

/**
 * The column of each row so that the sum of `cost[row][column]` is least; there must be as many columns as
 * rows, or more. O(rows² · columns).
 */
export function assign(cost: readonly ArrayLike<number>[]): Int32Array {
  const columns = cost[0]?.length ?? 0;
  // Row and column 0 stand for nothing; potentials make reduced costs ≥ 0 and 0 on the assignment.
  const [rowPotential, columnPotential] = [
    new Float64Array(cost.length + 1),
    new Float64Array(columns + 1),
  ];
  const rowOf = new Int32Array(columns + 1);
  for (let row = 1; row <= cost.length; row++) {
    rowOf[0] = row;
    const previous = new Int32Array(columns + 1);
    const least = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
    const isDone = new Uint8Array(columns + 1);
    let column = 0;
    while (rowOf[column] !== 0) {
      isDone[column] = 1;
      column = growPath(
        cost,
        { rowOf, rowPotential, columnPotential, previous, least, isDone },
        column,
      );
    }
    while (column !== 0) {
      const before = previous[column] ?? 0;
      rowOf[column] = rowOf[before] ?? 0;
      column = before;
    }
  }
  const columnOf = new Int32Array(cost.length);
  for (let column = 1; column <= columns; column++) {
    const row = rowOf[column] ?? 0;
    if (row > 0) columnOf[row - 1] = column - 1;
  }
  return columnOf;
}

interface Path {
  readonly rowOf: Int32Array;
  readonly rowPotential: Float64Array;
  readonly columnPotential: Float64Array;
  readonly previous: Int32Array;
  readonly least: Float64Array;
  readonly isDone: Uint8Array;
}

/** Relaxes the edges of the row that `from` is assigned to; gives the nearest column that is not done. */
function growPath(cost: readonly ArrayLike<number>[], path: Path, from: number): number {
  const { rowOf, rowPotential, columnPotential, previous, least, isDone } = path;
  const row = rowOf[from] ?? 0;
  const potential = rowPotential[row] ?? 0;
  const costs = [0, ...Array.from(cost[row - 1] ?? [])];
  const open = [...least.keys()].filter((column) => isDone[column] === 0);
  for (const column of open) {
    const reduced = (costs[column] ?? 0) - potential - (columnPotential[column] ?? 0);
    if (reduced >= (least[column] ?? 0)) continue;
    least[column] = reduced;
    previous[column] = from;
  }
  const nearest = open.reduce((best, it) => ((least[it] ?? 0) < (least[best] ?? 0) ? it : best));
  const delta = least[nearest] ?? 0;
  for (const column of open) least[column] = (least[column] ?? 0) - delta;
  shiftPotentials(path, delta);
  return nearest;
}

/** Keeps reduced costs at 0 along the path so far. */
function shiftPotentials(
  { rowOf, rowPotential, columnPotential, isDone }: Path,
  delta: number,
): void {
  for (const [column, done] of isDone.entries()) {
    if (done === 0) continue;
    const row = rowOf[column] ?? 0;
    rowPotential[row] = (rowPotential[row] ?? 0) + delta;
    columnPotential[column] = (columnPotential[column] ?? 0) - delta;
  }
}
