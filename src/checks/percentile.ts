/**
 * The nearest-rank percentile of exact samples: the smallest sample that at least `percentile` % of them do
 * not exceed. No interpolation, so the answer is always a value that was measured. 0 < percentile ≤ 100.
 */
export function nearestRank(samples: readonly number[], percentile: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  // The tolerance keeps 99.9 % of 1000 at rank 999 although the product is a hair above.
  const rank = Math.max(1, Math.ceil((percentile * sorted.length) / 100 - 1e-9));
  const value = sorted[rank - 1];
  if (value === undefined) throw new RangeError(`no ${percentile}th percentile of ${sorted.length} samples`);
  return value;
}
