import type { PlannedTraffic } from './plan.ts';
import { shares } from './traffic.ts';

/**
 * One revision's percent, and the rest for the others in their proportion: whole percents that sum to 100 (largest
 * remainder). Others that come to nothing are left out; with no others the one gets all.
 */
export function shareOut(
  others: readonly PlannedTraffic[],
  to: { revision: string; percent: number },
): PlannedTraffic[] {
  const weights = [...shares(others, '')].filter(([revision]) => revision !== to.revision);
  const whole = weights.reduce((sum, [, weight]) => sum + weight, 0);
  if (whole === 0) return [{ revision: to.revision, percent: 100 }];
  const rest = 100 - to.percent;
  const parts = weights.map(([revision, weight]) => {
    const exact = (weight * rest) / whole;
    return { revision, percent: Math.floor(exact), remainder: exact - Math.floor(exact) };
  });
  const left = rest - parts.reduce((sum, { percent }) => sum + percent, 0);
  const byRemainder = parts.toSorted((a, b) => b.remainder - a.remainder);
  for (const part of byRemainder.slice(0, left)) part.percent += 1;
  return [to, ...parts.map(({ revision, percent }) => ({ revision, percent }))].filter(
    ({ percent }) => percent > 0,
  );
}
