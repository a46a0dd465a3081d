import type { Finding } from '../../startup/profile.ts';
import { formatSeconds, formatShare, formatThousandths } from '../../terminal/format.ts';
import type { PhaseRow, ServiceReport } from '../release-report.ts';
import { tests } from './checks.ts';
import { signs } from './signs.ts';
import { bullets, code, fenced, section, tableOf } from './text.ts';

/** Everything about one service of the release. */
export function serviceSections(service: ServiceReport): string[] {
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
