import type { Judgement } from '../gate/promotion.ts';
import type { GateCondition, Verdict } from '../gate/verdict.ts';
import { padEnd } from '../terminal/columns.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';

/** The gate for a person: what is met first, so that what is open is on the last screen, each with what to type. */
export function gateLines({ from, to, verdict, risk, overrides }: Judgement, theme: Theme): string[] {
  const met = verdict.conditions.filter((condition) => condition.met);
  const open = verdict.conditions.filter((condition) => !condition.met);
  const waiting = open.filter(({ pending }) => pending);
  const failed = open.filter(({ pending }) => !pending);
  const width = Math.min(40, Math.max(0, ...verdict.conditions.map(({ id }) => id.length)));
  return [
    theme.strong(`${from} ${signs.next} ${to}`),
    ...conditionLines(met, width, theme),
    ...conditionLines(waiting, width, theme),
    ...conditionLines(failed, width, theme),
    ...overrides.map(({ condition, why, who }) =>
      theme.warn(`  ${signs.warning} ${condition} overridden by ${sanitiseLine(who)}: ${sanitiseLine(why)}`),
    ),
    '',
    gateLine({ verdict, risk }, theme),
  ];
}

/** `gate ready: 15 of 15 conditions met  risk low: the image changes` */
export function gateLine({ verdict, risk }: Pick<Judgement, 'verdict' | 'risk'>, theme: Theme): string {
  const reasons = risk.reasons.map((reason) => sanitiseLine(reason)).join('; ');
  const grave = { low: theme.good, medium: theme.warn, high: theme.bad }[risk.level];
  return `${gateText(verdict, theme)}  risk ${grave(risk.level)}${reasons ? `: ${reasons}` : ''}`;
}

function gateText({ decision, conditions }: Verdict, theme: Theme): string {
  const met = conditions.filter((condition) => condition.met).length;
  const paint = { ready: theme.good, pending: theme.warn, blocked: theme.bad }[decision];
  return `gate ${paint(decision)}: ${met} of ${conditions.length} conditions met`;
}

/** The same command under several conditions is told once, under the last of them. */
function conditionLines(conditions: readonly GateCondition[], width: number, theme: Theme): string[] {
  return conditions.flatMap((condition, index) => {
    const { id, met, pending, reason, remedy } = condition;
    const sign = mark(met ? 'done' : pending ? 'pending' : 'failed', theme);
    const name = padEnd(sanitiseLine(id), width);
    const [first = '', ...more] = reason.split('\n').map((line) => sanitiseLine(line));
    const told = remedy !== undefined && conditions[index + 1]?.remedy !== remedy;
    return [
      `  ${sign} ${name}  ${met ? theme.dim(first) : first}`,
      ...more.map((line) => `    ${padEnd('', width)}  ${line}`),
      ...(told ? [`      ${theme.accent(signs.next)} ${sanitiseLine(remedy)}`] : []),
    ];
  });
}
