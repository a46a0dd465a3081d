import type { Plan } from '../plan/plan.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';
import { changeLines } from './change-lines.ts';
import { trafficText } from './facts.ts';
import { field } from './layout.ts';

/** A plan for a person, read like a diff; what stops it comes last. */
export function planLines(plan: Plan, theme: Theme): string[] {
  const { service, environment, place } = plan;
  return [
    `${theme.strong(`${service} ${signs.next} ${environment}`)}  ${theme.dim(`${place.project} ${place.region}`)}`,
    ...field('plan', [`${actionWords[plan.action]}: ${sanitiseLine(plan.because)}`], theme),
    ...field('changes', changeLines(plan.changes, theme), theme),
    ...field('at once', changeLines(plan.serviceWide, theme), theme),
    ...field('revision', plan.revision === null ? [] : [`${plan.revision}${keptApart(plan)}`], theme),
    ...field('serves now', plan.formerTraffic.length > 0 ? [trafficText(plan.formerTraffic)] : [], theme),
    ...field(
      'steps',
      plan.steps.map((step, index) => `${index + 1}. ${sanitiseLine(step)}`),
      theme,
    ),
    ...plan.notes.map((note) => `${theme.warn(signs.warning)} ${sanitiseLine(note)}`),
    ...plan.blockers.flatMap(({ what, why, next }) => [
      `${mark('failed', theme)} ${theme.bad(sanitiseLine(what))}`,
      `  ${sanitiseLine(why)}`,
      ...next.map((line) => `${theme.accent(signs.next)} ${sanitiseLine(line)}`),
    ]),
  ];
}

const actionWords = {
  create: 'create the service',
  update: 'make a candidate beside what serves',
  rollback: 'go back to a revision that exists',
  none: 'nothing to do',
} as const;

/** How the new revision is kept from the traffic. */
function keptApart(plan: Plan): string {
  if (plan.first) return ', closed until it has passed';
  return plan.tag === null ? '' : ` at 0 %, tagged ${plan.tag}`;
}
