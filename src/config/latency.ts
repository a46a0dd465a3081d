export type Percentile = 50 | 90 | 95 | 99;

/** With fewer samples the percentile would be the slowest one, or say nothing at all. */
export function samplesFor(percentile: Percentile): number {
  return { 50: 5, 90: 10, 95: 20, 99: 100 }[percentile];
}
