import type { DatedCheck, ReleaseState, ServiceState } from '../release/state.ts';

/** What evidence is about: one revision of one service, with its image. */
export type EvidenceSubject = { environment: string; service: string; revision: string; digest: string };

/** A release as its record tells it; `whole` false: the record is no longer what was written. */
export type RecordedRelease = { state: ReleaseState; whole: boolean };

export type CheckReport = DatedCheck & { release: string };

/** All that the ledger shows of a revision: what made it, whether it started and answers, its checks. */
export type Evidence = {
  subject: EvidenceSubject;
  /** The release that made it; null: no record does. */
  made: {
    release: string;
    at: string;
    who: string;
    account: string;
    commit: string | null;
    dirty: boolean;
    digest: string;
  } | null;
  startup: { started: boolean; told: string } | null;
  /** Who was proven to answer after the newest change of the traffic. */
  proof: { revision: string; answers: number } | null;
  /** When other revisions began to serve than before, at last; null: no record shows that it serves at all. */
  trafficAt: string | null;
  /** The newest report of each check in each stage. */
  reports: CheckReport[];
  /** Releases whose record is damaged. */
  damaged: string[];
};

/** Folds releases, oldest first, into the evidence about one revision. Other environments' releases say nothing. Pure. */
export function evidenceOf(subject: EvidenceSubject, releases: readonly RecordedRelease[]): Evidence {
  const evidence: Evidence = {
    ...{ subject, made: null, startup: null, proof: null, trafficAt: null },
    ...{ reports: [], damaged: [] },
  };
  for (const { state, whole } of releases) {
    const service = state.services.get(subject.service);
    if (state.started && state.started.environment !== subject.environment) continue;
    if (!whole) evidence.damaged.push(state.id);
    if (service) add(evidence, state, service);
  }
  return evidence;
}

function add(evidence: Evidence, state: ReleaseState, service: ServiceState): void {
  const { revision } = evidence.subject;
  if (service.candidateIntended?.revision === revision) {
    evidence.made = madeBy(state, service);
    evidence.startup = startupOf(service);
  }
  const changed = lastChangeOf(service);
  if (changed !== undefined) {
    evidence.trafficAt = changed;
    evidence.proof = null;
  }
  if (service.proof) {
    evidence.proof = { revision: service.proof.revision, answers: service.proof.answers };
  }
  for (const check of service.checks) {
    if ((check.revision ?? revisionOf(service)) !== revision) continue;
    const isOther = ({ id, stage }: CheckReport) => id !== check.id || stage !== check.stage;
    evidence.reports = [...evidence.reports.filter(isOther), { ...check, release: state.id }];
  }
}

function madeBy({ id, started }: ReleaseState, service: ServiceState): Evidence['made'] {
  return {
    release: id,
    at: started?.at ?? '',
    who: started?.who ?? '',
    account: started?.account ?? '',
    commit: started?.commit ?? null,
    dirty: started?.dirty ?? true,
    digest: service.build?.digest ?? digestIn(service.candidateIntended?.image ?? ''),
  };
}

/** A log without a line of completion is made up for by a startup stage that saw all that was demanded. */
function startupOf({ profile, stages, startupDecidedBy }: ServiceState): Evidence['startup'] {
  if (!profile) return null;
  const shown = profile.outcome === 'unknown' && stages.startup?.outcome === 'done';
  const started = profile.outcome === 'started' || shown;
  return {
    started,
    told: started ? (startupDecidedBy ?? 'it started') : `its startup is ${profile.outcome}`,
  };
}

/** When a release last saw that others serve than before; a traffic that was only written again has not changed. */
function lastChangeOf({ trafficHistory }: ServiceState): string | undefined {
  const splits = trafficHistory.map(({ at, actual }) => ({ at, split: splitOf(actual) }));
  return splits.findLast(({ split }, index) => index > 0 && split !== splits[index - 1]?.split)?.at;
}

/** Who serves how much; tags alone serve nobody. */
function splitOf(traffic: ServiceState['traffic']): string {
  const serving = traffic.filter(({ percent }) => percent > 0);
  return serving
    .map(({ revision, percent }) => `${revision} ${percent}`)
    .sort()
    .join(', ');
}

/** For checks whose record names none: the revision that the release made, or the only one that serves at its end. */
function revisionOf(service: ServiceState): string | undefined {
  const made = service.revision ?? service.candidate?.revision;
  if (made) return made;
  const [serving, ...others] = service.traffic.filter(({ percent }) => percent > 0);
  return others.length === 0 ? serving?.revision : undefined;
}

/** `sha256:…` of `REPOSITORY@sha256:…`; '' without one. */
export function digestIn(image: string): string {
  return image.split('@')[1] ?? '';
}
