import type { CheckSpec } from '../config/check-spec.ts';
import type { CheckOutcome } from './context.ts';
import type { CheckResult } from './result.ts';

type Weighed = CheckOutcome & Pick<CheckResult, 'expectedToFail'>;

/**
 * Pure: what a declared failure makes of an outcome. To the end of its day (UTC) a failure stops nothing; after
 * it the failure counts and says since when. A pass says that the declaration can go.
 */
export function weigh(outcome: CheckOutcome, known: CheckSpec['expectedToFail'], now: Date): Weighed {
  if (known === undefined) return outcome;
  if (outcome.status === 'passed')
    return { ...outcome, reason: `it passes now: remove expectedToFail; ${outcome.reason}` };
  if (outcome.status !== 'failed' && outcome.status !== 'inconclusive') return outcome;
  // Days of one form compare as text.
  if (now.toISOString().slice(0, 10) <= known.until) return { ...outcome, expectedToFail: known };
  return {
    ...outcome,
    reason: `it counts since ${dayAfter(known.until)}, being known until ${known.until} only (${known.reason}): ${outcome.reason}`,
  };
}

function dayAfter(day: string): string {
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}
