import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckOutcome } from './context.ts';

const firstBackoffMs = 250;
const maxBackoffMs = 4_000;
/** Between passes that are demanded in a row: at the same instant they would show the same. */
const betweenPassesMs = 250;

export type Demand = {
  /** Passes in a row that it takes. */
  successes: number;
  /** Failures that end it; each before the last is followed by a pause, and the count of passes begins anew. */
  attempts: number;
};

/**
 * Tries until it has passed `successes` times in a row or has failed `attempts` times; the last try's outcome
 * is the result, and its reason tells of the tries before. A `final` outcome is never tried again.
 */
export async function repeat(
  { successes, attempts }: Demand,
  tryOnce: () => Promise<CheckOutcome>,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  let passes = 0;
  let failures = 0;
  let lastFailure = '';
  for (;;) {
    const outcome = await tryOnce();
    if (outcome.status === 'passed') {
      passes += 1;
      if (passes >= successes) return told(outcome, passes, failures, lastFailure);
      await pause(betweenPassesMs, signal);
    } else {
      const row = passes;
      passes = 0;
      failures += 1;
      lastFailure = outcome.reason;
      const decided = outcome.final || (outcome.status !== 'failed' && outcome.status !== 'inconclusive');
      if (decided || failures >= attempts || signal.aborted) return toldFailure(outcome, failures, row);
      await pause(Math.min(firstBackoffMs * 2 ** (failures - 1), maxBackoffMs), signal);
    }
    if (signal.aborted) return { status: 'inconclusive', reason: 'the run was stopped during this check' };
  }
}

/** A pass that was not the first word says so: a check that passes now and then is no quiet one. */
function told(outcome: CheckOutcome, passes: number, failures: number, lastFailure: string): CheckOutcome {
  const row = passes > 1 ? `, ${passes} times in a row` : '';
  const before = failures > 0 ? `, after ${times(failures)} it had failed: ${lastFailure}` : '';
  return { ...outcome, reason: `${outcome.reason}${row}${before}` };
}

function toldFailure(outcome: CheckOutcome, failures: number, passes: number): CheckOutcome {
  const tries = failures > 1 ? ` (${failures} attempts)` : '';
  const row = passes > 0 ? ` (after ${times(passes)} it had passed)` : '';
  return { ...outcome, reason: `${outcome.reason}${tries}${row}` };
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
