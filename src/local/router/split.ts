import type { Route } from '../contracts.ts';

/** The revision that a request goes to; `random` is in [0, 1). Undefined when there is none. */
export function pickRevision(split: Route['split'], random: number): string | undefined {
  const total = split.reduce((sum, { percent }) => sum + percent, 0);
  let rest = random * total;
  for (const { revision, percent } of split) {
    if (rest < percent) return revision;
    rest -= percent;
  }
  return undefined;
}
