import type { Verdict } from '../../gate/verdict.ts';
import { formatSeconds } from '../../terminal/format.ts';
import { durationOf, type ReleaseReport } from '../release-report.ts';
import { recommendationOf, riskOf, statusOf } from '../standing.ts';
import { serviceSections } from './service.ts';
import { bullets, code, section } from './text.ts';

/** The report as people used to write it by hand, section by section; only what was measured stands in it. */
export function markdownReport(report: ReleaseReport): string {
  const { started } = report.state;
  const what = `${started?.runbook ?? 'release'} to ${started?.environment ?? 'an unknown environment'}`;
  return [
    `# Validation report: ${what}`,
    '',
    ...summary(report),
    ...section('## The record was changed after it was written', damage(report)),
    ...report.services.flatMap(serviceSections),
    ...section('## Gate', criteria(report.state.gate?.verdict)),
    ...section('## Validation criteria', criteria(report.state.finished?.verdict)),
    ...section('## Risk', riskLines(report)),
    ...section('## Overrides', overrides(report)),
    ...section('## Recommendation', recommendation(report)),
    ...section('## Commits deployed', commits(report)),
    '---',
    `*Folded from the events of release ${report.state.id} by Sluice ${started?.sluice ?? ''}.*`,
    '',
  ].join('\n');
}

function summary(report: ReleaseReport): string[] {
  const { state } = report;
  const { started, finished } = state;
  const verdict = finished?.verdict;
  const met = verdict?.conditions.filter((condition) => condition.met).length;
  const seconds = durationOf(state);
  return [
    ...bullets([
      ['Status', statusOf(report)],
      ['Verdict', verdict && `${verdict.decision}: ${met} of ${verdict.conditions.length} conditions met`],
      ['Release', code(state.id)],
      [
        'Environment',
        started && `${started.environment} (${started.cloud === 'local' ? 'local cloud' : 'Google Cloud'})`,
      ],
      [
        'From',
        started?.from &&
          `${started.from.environment}, release ${started.from.releases.map((id) => code(id)).join(', ')}`,
      ],
      ['By', started && code([started.who, started.account].filter(Boolean).join(' / '))],
      ['Reason', started?.reason && code(started.reason)],
      [
        'Commit',
        started?.commit &&
          `${code(started.commit.slice(0, 12))}${started.dirty ? ' with uncommitted changes' : ''}`,
      ],
      ['Started', started?.at],
      ['Duration', seconds === null ? undefined : formatSeconds(seconds)],
      ['Command', started?.command && code(started.command)],
    ]),
    '',
  ];
}

/** Whatever the rest says, it says it of a record that somebody edited. */
function damage({ damage: problems }: ReleaseReport): string[] {
  return problems.map((problem) => `- ${code(problem)}`);
}

function criteria(verdict: Verdict | undefined): string[] {
  return (verdict?.conditions ?? []).map(({ id, met, reason, remedy }) => {
    const next = !met && remedy ? `, next: ${code(remedy)}` : '';
    return `- [${met ? 'x' : ' '}] ${code(id)}: ${code(reason)}${next}`;
  });
}

function riskLines(report: ReleaseReport): string[] {
  const risk = riskOf(report);
  return risk
    ? [`**${risk.level.toUpperCase()}**`, '', ...risk.reasons.map((reason) => `- ${code(reason)}`)]
    : [];
}

function overrides({ state }: ReleaseReport): string[] {
  return (state.gate?.overrides ?? []).map(
    ({ condition, why, who }) => `- ${code(condition)} was overridden by ${code(who)}: ${code(why)}`,
  );
}

function recommendation(report: ReleaseReport): string[] {
  const { text, next } = recommendationOf(report);
  return [`**${text}**`, ...(next.length > 0 ? ['', ...next.map((command) => `- ${code(command)}`)] : [])];
}

function commits({ state }: ReleaseReport): string[] {
  return state.commits.map(({ id, subject }) => `- ${code(id.slice(0, 12))} ${code(subject)}`);
}
