import type { CheckResult } from '../checks/result.ts';
import type { Verdict } from '../gate/verdict.ts';
import type { Finding } from '../startup/profile.ts';
import { formatMilliseconds, formatSeconds, formatShare, formatThousandths } from '../terminal/format.ts';
import { code, fenced, section, tableOf } from './markdown-text.ts';
import { durationOf, type PhaseRow, type ReleaseReport, type ServiceReport } from './release-report.ts';
import { recommendationOf, riskOf, statusOf } from './standing.ts';

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

function bullets(pairs: readonly (readonly [string, string | null | undefined | false])[]): string[] {
  return pairs.flatMap(([name, value]) => (value ? [`- **${name}**: ${value}`] : []));
}

function serviceSections(service: ServiceReport): string[] {
  return [
    `## ${service.name}`,
    '',
    ...section('### Deployment details', details(service)),
    ...section(
      '### Equivalent gcloud command',
      service.gcloud.flatMap((command) => fenced(command, 'bash')),
    ),
    ...section('### Service status', status(service)),
    ...section('### Startup performance', startup(service)),
    ...section('### Critical systems', systems(service)),
    ...section('### Findings', findings(service)),
    ...section('### Tests', tests(service)),
    ...section('### What failed', failure(service)),
  ];
}

function details({ state, image, digest, revision, outcome }: ServiceReport): string[] {
  const { plan, build } = state;
  return [
    ...bullets([
      ['Outcome', outcome],
      ['Service', plan && `${code(plan.place.service)} in ${code(plan.place.project)}, ${plan.place.region}`],
      ['Revision', revision && code(revision)],
      ['Image', image && code(image)],
      ['Digest', digest && code(digest)],
      ['Build', build && `${build.outcome}${build.seconds > 0 ? ` in ${formatSeconds(build.seconds)}` : ''}`],
      ['Why', plan && code(plan.because)],
    ]),
    '',
    ...tableOf(
      ['Changed field', 'From', 'To'],
      [...(plan?.changes ?? []), ...(plan?.serviceWide ?? [])].map(({ field, from, to }) => [
        code(field),
        from === null ? '–' : code(from, 120),
        to === null ? '–' : code(to, 120),
      ]),
    ),
  ];
}

function status(service: ServiceReport): string[] {
  const { url, traffic, proven, state } = service;
  const proof =
    proven && state.proof ? ` (proven by ${state.proof.answers} answers in a row)` : ' (not proven)';
  const step = ({ at, actual }: ServiceReport['state']['trafficHistory'][number]): string[] => [
    at,
    actual
      .filter(({ percent }) => percent > 0)
      .map(({ revision, percent }) => `${code(revision)} ${percent} %`)
      .join(', ') || 'none',
  ];
  const now = bullets([
    ['URL', url && code(url)],
    ['Traffic', state.traffic.length > 0 && `${code(traffic)}${proof}`],
    ['Rolled back', state.finished?.rolledBack && 'yes, to the former traffic'],
  ]);
  return [
    ...now,
    ...(now.length > 0 ? [''] : []),
    ...tableOf(['Observed at', 'Actual traffic'], state.trafficHistory.map(step)),
  ];
}

function startup({ state, phases, former }: ServiceReport): string[] {
  const { profile } = state;
  if (!profile) return [];
  const total = profile.totalSeconds;
  const head = `Outcome: **${profile.outcome}**${total === null ? '' : `, in all ${formatThousandths(total)}`}.`;
  const before = former && (former.profile.totalSeconds ?? null);
  const compared = former
    ? `The release before (${code(former.release)}) took ${formatThousandths(before)}.`
    : 'No earlier start of this service is recorded here to compare with.';
  return [
    head,
    '',
    ...tableOf(['Phase', 'Seconds', 'Share', 'Outcome', 'Before', 'Difference'], phases.map(phaseCells)),
    compared,
  ];
}

function phaseCells(phase: PhaseRow): string[] {
  return [
    code(phase.name),
    formatThousandths(phase.seconds),
    formatShare(phase.share) || '–',
    `${signs[phase.outcome]} ${phase.outcome}`,
    formatThousandths(phase.formerSeconds),
    difference(phase.seconds, phase.formerSeconds),
  ];
}

function difference(now: number | null, before: number | null): string {
  if (now === null || before === null) return '–';
  const seconds = now - before;
  return `${seconds < 0 ? '−' : '+'}${Math.abs(seconds).toFixed(3)} s`;
}

function systems({ state }: ServiceReport): string[] {
  return tableOf(
    ['System', 'Status', 'Detail'],
    (state.profile?.systems ?? []).map(({ name, status, detail }) => [
      code(name),
      `${signs[status]} ${status}`,
      detail ? code(detail) : '–',
    ]),
  );
}

function findings(service: ServiceReport): string[] {
  const told = (list: readonly Finding[]): string[] =>
    list.map(
      ({ cause, count, hint }) =>
        `- ${code(cause)}${count > 1 ? ` (${count} times)` : ''}${hint ? `: ${code(hint)}` : ''}`,
    );
  return [
    ...section(
      '**Positive indicators**',
      service.positive.map((line) => `- ${code(line)}`),
    ),
    ...section('**What ended the start**', told(service.fatal)),
    ...section('**Errors new with this release**', service.former ? told(service.newErrors) : []),
    ...section('**Errors that did not stop the start**', service.former ? [] : told(service.newErrors)),
    ...section(
      '**Errors not related to the change** (the release before had them too)',
      told(service.knownErrors),
    ),
    ...section('**Minor warnings**', told(service.warnings)),
  ];
}

function tests({ checks, tests: counts }: ServiceReport): string[] {
  const rows = checks.map((check) => [
    code(check.id),
    check.kind,
    check.stage,
    `${signs[check.status]} ${check.status}${check.required ? '' : ' (advisory)'}${check.expectedToFail ? ' (known failure)' : ''}`,
    formatMilliseconds(check.durationMs),
    code(check.reason),
  ]);
  return [
    ...tableOf(['Check', 'Kind', 'Stage', 'Outcome', 'Time', 'What was seen'], rows),
    ...(counts
      ? [`Tests of suites: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped.`, '']
      : []),
    ...checks.flatMap(evidence),
  ];
}

/** Kinds that bring a table of their own. */
function evidence(check: CheckResult): string[] {
  const { messages = [], components = [], cases = [] } = check;
  const step = ({ status, ms }: { status: string; ms: number | null }): string =>
    `${status}${ms === null ? '' : ` ${formatMilliseconds(ms)}`}`;
  const failed = cases.filter(({ status, detail }) => status === 'failed' || detail !== '');
  return [
    ...section(
      `**${check.id}, ${check.stage}: messages**`,
      tableOf(
        ['Message', 'Connection', 'Auth', 'Processing', 'Response', 'Missing events', 'Unexpected events'],
        messages.map((one) => [
          code(one.type),
          ...[one.connection, one.auth, one.processing, one.response].map(step),
          one.missing.map((name) => code(name)).join(' ') || '–',
          one.unexpected.map((name) => code(name)).join(' ') || '–',
        ]),
      ),
    ),
    ...section(
      `**${check.id}, ${check.stage}: components**`,
      tableOf(
        ['Code', 'Component', 'Status', 'Message', 'Details'],
        components.map((one) =>
          [one.code, one.component, one.status, one.message, one.details].map((text) => code(text)),
        ),
      ),
    ),
    ...section(
      `**${check.id}, ${check.stage}: tests to look at**`,
      tableOf(
        ['Test', 'Phase', 'Outcome', 'Time', 'Detail'],
        failed.map((one) => [
          code(one.name),
          code(one.phase),
          one.status,
          formatSeconds(one.seconds),
          code(one.detail),
        ]),
      ),
    ),
  ];
}

function failure({ state }: ServiceReport): string[] {
  const diagnosis = state.finished?.diagnosis;
  const refused = state.preflight.map(({ what, why }) => `- ${code(what)}${why ? `: ${code(why)}` : ''}`);
  if (!diagnosis) return refused;
  return [
    ...refused,
    ...bullets([
      ['Cause', code(diagnosis.cause)],
      ['Why', diagnosis.why && code(diagnosis.why)],
      ['Hint', diagnosis.hint && code(diagnosis.hint)],
      ['Not done', diagnosis.notDone.length > 0 && diagnosis.notDone.map((each) => code(each)).join(', ')],
      ['Next', diagnosis.next.map((each) => code(each)).join(', ')],
    ]),
    '',
    ...(diagnosis.evidence.length > 0 ? fenced(diagnosis.evidence.join('\n'), 'text') : []),
  ];
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

const signs = {
  completed: '✅',
  passed: '✅',
  healthy: '✅',
  failed: '❌',
  degraded: '⚠️',
  incomplete: '⚠️',
  'not-reported': '❔',
  skipped: '⏭️',
  inconclusive: '❔',
  pending: '⏳',
} as const;
