import type { CheckResult } from '../checks/result.ts';
import type { DatedCheck, ReleaseState, ServiceState } from '../release/state.ts';
import type { Finding, RevisionProfile } from '../startup/profile.ts';
import { formatThousandths } from '../terminal/format.ts';
import { digestOf, isProven, revisionOf, trafficText, urlOf } from './facts.ts';
import { gcloudCommands } from './gcloud-command.ts';

/**
 * What a written report says of a release, whatever its format. Everything is folded from the release's events
 * and from the start of the release before it; what was not measured is absent.
 */
export type ReleaseReport = {
  state: ReleaseState;
  /** Why the record is not what was written; empty when it is, or when the release has just ended. */
  damage: string[];
  services: ServiceReport[];
};

/** An earlier release's start of the same service, to compare with. */
export type FormerStart = { release: string; profile: RevisionProfile };

export type ServiceReport = {
  name: string;
  state: ServiceState;
  /** `deployed`, `failed`, …; `unfinished` when the record does not say. */
  outcome: NonNullable<ServiceState['finished']>['outcome'] | 'unfinished';
  revision: string | null;
  digest: string | null;
  image: string | null;
  url: string | null;
  traffic: string;
  proven: boolean;
  /** The equivalent by hand; empty when nothing was written. */
  gcloud: string[];
  former: FormerStart | null;
  phases: PhaseRow[];
  positive: string[];
  warnings: Finding[];
  /** Errors that did not stop the start, by whether the release before had them too. */
  newErrors: Finding[];
  knownErrors: Finding[];
  fatal: Finding[];
  checks: DatedCheck[];
  /** Of checks with tests of their own. */
  tests: { passed: number; failed: number; skipped: number } | null;
};

/** A phase beside what it took in the release before; `startsAt` sums up the phases before it (seconds). */
export type PhaseRow = {
  name: string;
  seconds: number | null;
  share: number | null;
  outcome: 'completed' | 'failed' | 'incomplete';
  startsAt: number;
  formerSeconds: number | null;
};

export function reportOf(
  state: ReleaseState,
  formers: ReadonlyMap<string, FormerStart>,
  damage: string[] = [],
): ReleaseReport {
  const services = [...state.services.values()].map((service) =>
    serviceReport(service, formers.get(service.service) ?? null),
  );
  return { state, services, damage };
}

function serviceReport(state: ServiceState, former: FormerStart | null): ServiceReport {
  const findings = state.profile?.findings ?? [];
  const errors = findings.filter(({ severity }) => severity === 'error');
  const known = new Set(former?.profile.findings.map(signatureOf));
  const digest = digestOf(state);
  return {
    name: state.service,
    state,
    outcome: state.finished?.outcome ?? 'unfinished',
    revision: revisionOf(state),
    digest,
    image: state.build?.image || state.candidateIntended?.image || state.observed?.image || null,
    url: urlOf(state),
    traffic: trafficText(state.traffic),
    proven: isProven(state),
    gcloud: gcloudOf(state),
    former,
    phases: phaseRows(state.profile, former),
    positive: positiveOf(state),
    warnings: findings.filter(({ severity }) => severity === 'warning'),
    newErrors: errors.filter((finding) => !known.has(signatureOf(finding))),
    knownErrors: errors.filter((finding) => known.has(signatureOf(finding))),
    fatal: findings.filter(({ severity }) => severity === 'fatal'),
    checks: state.checks,
    tests: testsOf(state.checks),
  };
}

function gcloudOf({ plan, candidateIntended, finished }: ServiceState): string[] {
  if (!plan || !candidateIntended) return [];
  return gcloudCommands(plan, candidateIntended.image, finished?.outcome === 'deployed');
}

/** Two releases say the same when only numbers differ. */
function signatureOf({ category, cause }: Finding): string {
  return `${category} ${cause.replace(/\d+/g, '#')}`;
}

function phaseRows(profile: RevisionProfile | null, former: FormerStart | null): PhaseRow[] {
  let startsAt = 0;
  return (profile?.phases ?? []).map((phase) => {
    const row = {
      ...phase,
      startsAt,
      formerSeconds: former?.profile.phases.find(({ name }) => name === phase.name)?.seconds ?? null,
    };
    startsAt += phase.seconds ?? 0;
    return row;
  });
}

/** What went well, each as it was measured. */
function positiveOf(state: ServiceState): string[] {
  const { profile, proof, checks } = state;
  const healthy = (profile?.systems ?? []).filter(({ status }) => status === 'healthy');
  const completed = (profile?.phases ?? []).filter(({ outcome }) => outcome === 'completed').length;
  const passed = checks.filter(({ status }) => status === 'passed').length;
  const total = profile?.totalSeconds ?? null;
  return [
    ...(profile?.outcome === 'started'
      ? [`The application started${total === null ? '' : ` in ${formatThousandths(total)}`}.`]
      : []),
    ...(completed > 0 ? [`${completed} of ${profile?.phases.length} startup phases completed.`] : []),
    ...healthy.map(({ name, detail }) => `${name} is healthy${detail ? `: ${detail}` : ''}.`),
    ...(passed > 0 ? [`${passed} of ${checks.length} checks passed.`] : []),
    ...(proof && isProven(state)
      ? [`${proof.answers} answers in a row came from ${proof.revision} (by ${proof.by}).`]
      : []),
  ];
}

function testsOf(checks: readonly CheckResult[]): ServiceReport['tests'] {
  // Phases count every test; the cases that are kept are bounded.
  const phases = checks.flatMap(({ phases = [] }) => phases);
  if (phases.length > 0) {
    const sum = (key: 'passed' | 'failed' | 'skipped') => phases.reduce((all, phase) => all + phase[key], 0);
    return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  }
  const cases = checks.flatMap(({ cases = [] }) => cases);
  if (cases.length === 0) return null;
  const count = (status: string) => cases.filter((one) => one.status === status).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}

/** Seconds from the first event to the last; null while it runs. */
export function durationOf({ started, finished }: ReleaseState): number | null {
  if (!started || !finished) return null;
  return Math.max(0, (Date.parse(finished.at) - Date.parse(started.at)) / 1000);
}
