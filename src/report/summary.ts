import type { CheckResult } from '../checks/result.ts';
import { stages } from '../release/events.ts';
import type { ReleaseState, ServiceState } from '../release/state.ts';
import { checkDetails } from '../terminal/check-lines.ts';
import { checkMark, checkText } from '../terminal/check-words.ts';
import { table } from '../terminal/columns.ts';
import { formatMilliseconds, formatThousandths, shortDigest } from '../terminal/format.ts';
import { mark } from '../terminal/marks.ts';
import { phaseLines, systemLines } from '../terminal/profile-lines.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';
import { changeLines } from './change-lines.ts';
import { digestOf, isProven, revisionOf, trafficText, urlOf } from './facts.ts';
import { gateSummary } from './gate.ts';
import { field } from './layout.ts';
import { holdFields, rollbackFields } from './rollback-fields.ts';
import { wordsOf } from './runbook-words.ts';
import { endLines } from './verdict-lines.ts';

/** The end of a release for a person: services that went well first, so that a failure is on the last screen. */
export function summaryLines(state: ReleaseState, theme: Theme): string[] {
  const services = [...state.services.values()].sort((a, b) => badness(a) - badness(b));
  return [
    ...services.flatMap((service) => ['', ...serviceLines(service, state, theme)]),
    ...gateSummary(state, theme),
    '',
    ...endLines(state, theme),
  ];
}

function badness(service: ServiceState): number {
  return service.finished?.outcome === 'failed' ? 1 : 0;
}

function serviceLines(service: ServiceState, state: ReleaseState, theme: Theme): string[] {
  switch (service.finished?.outcome) {
    case 'deployed':
      return deployed(service, state, theme);
    case 'unchanged':
      return unchanged(service, state, theme);
    case 'checked':
      return checked(service, state, theme);
    case 'failed':
      return state.started?.runbook === 'check'
        ? checked(service, state, theme)
        : failed(service, state, theme);
    case 'not-started':
      return notStarted(service, state, theme);
    case undefined:
      return [`${mark('pending', theme)} ${service.service}: how it ended is not known`];
  }
}

function deployed(service: ServiceState, state: ReleaseState, theme: Theme): string[] {
  return [
    `${mark('done', theme)} ${theme.strong(sentence(state, 'done', service))}`,
    ...placeFields(service, theme),
    ...holdFields(service, state, theme),
    ...rollbackFields(service, state, theme),
    ...field('changes', changesOf(service, theme), theme),
    ...startupFields(service, theme),
    ...field('checks', checkLines(service.checks, theme), theme),
  ];
}

function sentence(state: ReleaseState, end: 'done' | 'unchanged' | 'failed', service: ServiceState): string {
  const environment = state.started?.environment ?? '';
  return wordsOf(state.started?.runbook)[end](service.service, environment, revisionOf(service) ?? '');
}

/** Of a new service everything is new: what its config says needs no repeating. */
function changesOf({ plan }: ServiceState, theme: Theme): string[] {
  if (!plan || plan.action === 'create') return [];
  return changeLines([...plan.changes, ...plan.serviceWide], theme);
}

function unchanged(service: ServiceState, state: ReleaseState, theme: Theme): string[] {
  return [
    `${mark('done', theme)} ${theme.strong(sentence(state, 'unchanged', service))}: ${wordsOf(state.started?.runbook).untouched}`,
    ...placeFields(service, theme),
    ...field('because', service.plan ? [sanitiseLine(service.plan.because)] : [], theme),
    ...field('checks', checkLines(service.checks, theme), theme),
  ];
}

/** The checklist against what is live: what was checked, and what was seen of it. */
function checked(service: ServiceState, state: ReleaseState, theme: Theme): string[] {
  const { finished, proof } = service;
  const diagnosis = finished?.diagnosis;
  const only = state.started?.only;
  return [
    checkedHead(service, state, theme),
    ...placeFields(service, theme),
    ...field(
      'answers',
      proof ? [`${proof.answers} in a row from ${proof.revision}, at ${proof.url}`] : [],
      theme,
    ),
    ...startupFields(service, theme),
    ...field('checks', checkLines(service.checks, theme), theme),
    ...field('only', only ? [`${only} was run: this tells nothing of the other checks`] : [], theme),
    ...field('cause', diagnosis ? causeLines(service, theme) : [], theme),
    ...(diagnosis?.next ?? []).map((next) => `${theme.accent(signs.next)} ${sanitiseLine(next)}`),
  ];
}

function checkedHead(service: ServiceState, state: ReleaseState, theme: Theme): string {
  const { finished } = service;
  if (finished?.diagnosis)
    return `${mark('failed', theme)} ${theme.strong(sentence(state, 'failed', service))}`;
  if (finished?.reason === 'done')
    return `${mark('done', theme)} ${theme.strong(sentence(state, 'done', service))}`;
  return `${mark('pending', theme)} ${theme.strong(`${service.service} waits for a person`)}: the other checks have passed`;
}

function notStarted(service: ServiceState, state: ReleaseState, theme: Theme): string[] {
  const problems = service.preflight.flatMap((problem) => problemLines(problem, theme));
  const sign = mark(problems.length > 0 ? 'failed' : 'skipped', theme);
  return [
    `${sign} ${theme.strong(sentence(state, 'failed', service))}: ${wordsOf(state.started?.runbook).untouched}`,
    ...problems.map((line) => `  ${line}`),
    ...field(
      'evidence',
      service.checks.flatMap((check) => checkDetails(check, theme)),
      theme,
    ),
  ];
}

function failed(service: ServiceState, state: ReleaseState, theme: Theme): string[] {
  const diagnosis = service.finished?.diagnosis;
  const safe = (lines: readonly string[]) => lines.filter(Boolean).map((line) => sanitiseLine(line));
  const candidate = service.candidate?.candidateUrl;
  return [
    `${mark('failed', theme)} ${theme.strong(sentence(state, 'failed', service))}`,
    ...startupFields(service, theme),
    ...field('checks', checkLines(service.checks, theme), theme),
    ...field('done', listed(stages.filter((stage) => service.stages[stage]?.outcome === 'done')), theme),
    ...field('not done', listed(safe(diagnosis?.notDone ?? [])), theme),
    ...field('candidate', candidate ? [`${candidate}  ${theme.dim('kept for a look')}`] : [], theme),
    ...field('traffic', [formerTraffic(service, theme)], theme),
    ...field(
      'evidence',
      safe(diagnosis?.evidence ?? []).map((line) => theme.dim(`│ ${line}`)),
      theme,
    ),
    ...field('also', otherFindings(service), theme),
    ...field('cause', causeLines(service, theme), theme),
    ...safe(diagnosis?.next ?? []).map((next) => `${theme.accent(signs.next)} ${next}`),
  ];
}

/** What else ended the start, beside its cause: the exit after the exception. */
function otherFindings({ profile, finished }: ServiceState): string[] {
  return (profile?.findings ?? [])
    .filter(({ severity, cause }) => severity === 'fatal' && cause !== finished?.diagnosis?.cause)
    .map(({ cause, count }) => `${sanitiseLine(cause)}${count > 1 ? `, ${count} times` : ''}`);
}

function problemLines({ what, why, next = [] }: ServiceState['preflight'][number], theme: Theme): string[] {
  return [
    `${mark('failed', theme)} ${sanitiseLine(what)}`,
    ...(why ? [`  ${sanitiseLine(why)}`] : []),
    ...next.map((line) => `  ${theme.accent(signs.next)} ${sanitiseLine(line)}`),
  ];
}

function causeLines(service: ServiceState, theme: Theme): string[] {
  const diagnosis = service.finished?.diagnosis;
  if (!diagnosis) return [theme.bad(service.finished?.reason ?? '')];
  const { cause, why, hint } = diagnosis;
  return [theme.bad(sanitiseLine(cause)), ...[why, hint].filter(Boolean).map((line) => sanitiseLine(line))];
}

/** After a failure: what serves now, and whether that was seen or only wished. */
function formerTraffic(service: ServiceState, theme: Theme): string {
  // Without a restore there was nothing to put back, unless nobody could tell.
  const refused = !service.stages.restore && service.finished?.reason !== 'unknown';
  if (service.writes === 0 || refused) return 'untouched: nothing was written';
  const now = trafficText(service.traffic);
  if (service.plan?.first) return `${now}  ${theme.dim('a first deploy has nothing to restore')}`;
  if (!service.finished?.rolledBack) return theme.warn(`${now}: not restored`);
  if (!isProven(service)) return theme.warn(`${now}: restored, but not proven`);
  return `${now}  ${theme.dim(`restored, proven by ${service.proof?.answers ?? 0} answers in a row`)}`;
}

function placeFields(service: ServiceState, theme: Theme): string[] {
  const url = urlOf(service);
  const revision = revisionOf(service);
  const digest = digestOf(service);
  const proof = isProven(service)
    ? theme.dim(`  proven by ${service.proof?.answers ?? 0} answers in a row`)
    : '';
  return [
    ...field('url', url ? [theme.accent(url)] : [], theme),
    ...field('revision', revision ? [`${revision}  ${theme.dim(shortDigest(digest ?? ''))}`] : [], theme),
    ...field('traffic', [`${trafficText(service.traffic)}${proof}`], theme),
    ...field('rollout', rolloutSteps(service), theme),
  ];
}

/** `10 % → 50 % → 100 %`, when there was more than one step. */
function rolloutSteps({ trafficHistory }: ServiceState): string[] {
  const percents = trafficHistory.flatMap(({ step }) => (step && step.of > 1 ? [`${step.percent} %`] : []));
  return percents.length > 0 ? [percents.join(` ${signs.next} `)] : [];
}

function startupFields(service: ServiceState, theme: Theme): string[] {
  const { profile, stages } = service;
  // Of a revision that still ran nothing more is known.
  if (!profile)
    return field('startup', stages.startup?.outcome === 'done' ? [stages.startup.note] : [], theme);
  const total = profile.totalSeconds === null ? '' : ` in ${formatThousandths(profile.totalSeconds)}`;
  const head = profile.outcome === 'started' ? `started${total}` : theme.bad(`${profile.outcome}${total}`);
  return field(
    'startup',
    [head, ...phaseLines(profile.phases, theme), ...systemLines(profile.systems, theme)],
    theme,
  );
}

function checkLines(checks: readonly CheckResult[], theme: Theme): string[] {
  const lines = table(
    checks.map((check) => [
      `${checkMark(check, theme)} ${check.id}`,
      theme.dim(check.stage),
      theme.dim(formatMilliseconds(check.durationMs)),
      check.status === 'passed' ? checkText(check) : theme.warn(checkText(check)),
    ]),
    ['left', 'left', 'right', 'left'],
  );
  return checks.flatMap((check, index) => [lines[index] ?? '', ...checkDetails(check, theme)]);
}

const listed = (items: readonly string[]) => (items.length > 0 ? [items.join(', ')] : []);
