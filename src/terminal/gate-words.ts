import type { ReleaseEvent } from '../release/events.ts';
import { mark } from './marks.ts';
import { sanitiseLine } from './sanitise.ts';
import { signs, type Theme } from './theme.ts';

type Judged = Extract<ReleaseEvent, { type: 'gate.judged' }>;

const marks = { ready: 'done', pending: 'pending', blocked: 'failed' } as const;

/** The gate in a log: the summary tells its conditions. */
export function gateNews(event: Judged, theme: Theme): string[] {
  const { verdict, risk, riskReasons } = event;
  const met = verdict.conditions.filter((condition) => condition.met).length;
  const count = `${met} of ${verdict.conditions.length} conditions met`;
  const reasons = riskReasons.map((reason) => sanitiseLine(reason)).join('; ');
  const told = reasons ? `risk ${risk}: ${reasons}` : `risk ${risk}`;
  return [
    `${mark(marks[verdict.decision], theme)} gate ${verdict.decision}: ${count}, ${told}`,
    ...overrideTexts(event).map((text) => theme.warn(`${signs.warning} ${text}`)),
  ];
}

export function overrideTexts({ overrides }: Pick<Judged, 'overrides'>): string[] {
  return overrides.map(
    ({ condition, why, who }) => `${condition} is overridden by ${sanitiseLine(who)}: ${sanitiseLine(why)}`,
  );
}
