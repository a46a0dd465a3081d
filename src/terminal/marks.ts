import { signs, type Theme } from './theme.ts';

type Status =
  | 'done'
  | 'passed'
  | 'completed'
  | 'healthy'
  | 'failed'
  | 'degraded'
  | 'skipped'
  | 'inconclusive'
  | 'pending'
  | 'incomplete'
  | 'not-reported'
  | 'running';

/** The sign of an outcome, in its colour. What nobody reported is in doubt, never good. */
export function mark(status: Status, theme: Theme): string {
  switch (status) {
    case 'done':
    case 'passed':
    case 'completed':
    case 'healthy':
      return theme.good(signs.done);
    case 'failed':
      return theme.bad(signs.failed);
    case 'degraded':
      return theme.warn(signs.warning);
    case 'skipped':
      return theme.dim(signs.skipped);
    case 'running':
      return theme.accent(signs.waiting);
    case 'inconclusive':
    case 'pending':
    case 'incomplete':
    case 'not-reported':
      return theme.warn(signs.doubt);
  }
}
