/** One performance claim, measured in this run. `value` and `target` in `unit`. */
export type Claim = {
  name: string;
  value: number;
  unit: string;
  target: string;
  met: boolean;
  /** The measurements that it rests on. */
  detail?: string[];
};

/** The middle value; of an even count the lower middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error('no values to take a median of');
  return middle;
}
