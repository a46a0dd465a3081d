import type { ServiceState } from '../release/state.ts';
import { mark } from './marks.ts';
import { sanitiseLine } from './sanitise.ts';
import { signs, type Theme } from './theme.ts';

type Check = ServiceState['checks'][number];

/** A failure that stops nothing has a sign of its own: it is neither good nor what ended the release. */
export function checkMark(check: Omit<Check, 'at'>, theme: Theme): string {
  return excuse(check) === undefined ? mark(check.status, theme) : theme.warn(signs.warning);
}

/** What a check came to, with why it counts or does not: `advisory, failed: expected status 200, found 503`. */
export function checkText(check: Omit<Check, 'at'>): string {
  const reason = sanitiseLine(check.reason);
  if (check.status === 'passed') return reason;
  const why = excuse(check);
  return `${why === undefined ? '' : `${why}, `}${check.status}: ${reason}`;
}

/** Why a check that has not passed stops nothing; undefined when it passed, or counts. */
function excuse({ status, required, expectedToFail }: Omit<Check, 'at'>): string | undefined {
  if (status === 'passed') return undefined;
  if (expectedToFail)
    return `known until ${expectedToFail.until} (${sanitiseLine(expectedToFail.reason, 80)})`;
  return required ? undefined : 'advisory';
}
