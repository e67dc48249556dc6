/** A row of blocks for a row of numbers. */
const BLOCKS = '▁▂▃▄▅▆▇█';

/** Shares of one, 0–1, as at most `columns` blocks; each shows the last of its stretch of values. */
export function sparkline(shares: readonly number[], columns = 12): string {
  const count = Math.min(columns, shares.length);
  return Array.from({ length: count }, (_, i) => {
    const share = shares[Math.ceil(((i + 1) * shares.length) / count) - 1] || 0; // NaN too
    const level = Math.round(Math.min(1, Math.max(0, share)) * (BLOCKS.length - 1));
    return BLOCKS[level] ?? '';
  }).join('');
}
