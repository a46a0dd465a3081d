import type { Judgement } from '../gate/promotion.ts';
import type { Risk } from '../gate/risk.ts';
import type { GateCondition, Verdict } from '../gate/verdict.ts';
import type { ReleaseState } from '../release/state.ts';
import { padEnd } from '../terminal/columns.ts';
import { overrideTexts } from '../terminal/gate-words.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';
import { field } from './layout.ts';

/** The gate for a person: what is met first, so that what is open is on the last screen, each with what to type. */
export function gateLines(judgement: Judgement, theme: Theme): string[] {
  return [...conditionList(judgement, theme), '', gateText(judgement.verdict, theme)];
}

/** In the summary of a promotion: the list when the gate kept it out, one line when it let it through. */
export function gateSummary({ gate, started }: ReleaseState, theme: Theme): string[] {
  if (!gate) return [];
  const { from, to, verdict, overrides } = gate;
  const risk = { level: gate.risk, reasons: gate.riskReasons };
  if (verdict.decision !== 'ready')
    return ['', ...conditionList({ from, to, verdict, risk, overrides }, theme)];
  const releases = started?.from?.releases.join(', ') ?? '';
  return [
    '',
    `${gateText(verdict, theme)}  ${riskText(risk, theme)}`,
    ...field('from', [`${from}  ${theme.dim(releases)}`], theme),
    ...overrideLines(overrides, theme),
  ];
}

function conditionList({ from, to, verdict, risk, overrides }: Judgement, theme: Theme): string[] {
  const open = verdict.conditions.filter(({ met }) => !met);
  const order = [
    ...verdict.conditions.filter(({ met }) => met),
    ...open.filter(({ pending }) => pending),
    ...open.filter(({ pending }) => !pending),
  ];
  return [
    `${theme.strong(`${from} ${signs.next} ${to}`)}  ${riskText(risk, theme)}`,
    ...conditionLines(order, theme),
    ...overrideLines(overrides, theme),
  ];
}

function gateText({ decision, conditions }: Verdict, theme: Theme): string {
  const met = conditions.filter((condition) => condition.met).length;
  const paint = { ready: theme.good, pending: theme.warn, blocked: theme.bad }[decision];
  return `gate ${paint(decision)}: ${met} of ${conditions.length} conditions met`;
}

function riskText({ level, reasons }: Risk, theme: Theme): string {
  const paint = { low: theme.good, medium: theme.warn, high: theme.bad }[level];
  const told = reasons.map((reason) => sanitiseLine(reason)).join('; ');
  return `${theme.dim('risk')} ${paint(level)}${told ? theme.dim(`: ${told}`) : ''}`;
}

function overrideLines(overrides: Judgement['overrides'], theme: Theme): string[] {
  return overrideTexts({ overrides }).map((text) => theme.warn(`  ${signs.warning} ${text}`));
}

const widestId = 40;

/** The same command under several conditions is told once, under the last of them. */
function conditionLines(conditions: readonly GateCondition[], theme: Theme): string[] {
  const width = Math.min(widestId, Math.max(0, ...conditions.map(({ id }) => id.length)));
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
