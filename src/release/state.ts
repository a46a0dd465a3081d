import type { CheckResult } from '../checks/result.ts';
import type { Hold } from '../plan/hold.ts';
import type { Plan, PlannedTraffic } from '../plan/plan.ts';
import type { RevisionProfile } from '../startup/profile.ts';
import type { DurableEvent, ReleaseEvent, RolloutStep, Stage, Stamped } from './events.ts';

export type StageState = {
  /** RFC 3339. */
  startedAt: string;
  outcome: 'running' | 'done' | 'skipped' | 'failed';
  note: string;
  seconds: number | null;
};

type Of<T extends DurableEvent['type']> = Extract<DurableEvent, { type: T }>;

type Intent = Of<'candidate.intended'> | Of<'traffic.intended'> | Of<'mark.intended'> | Of<'hold.intended'>;

/** A result, when it was reported (RFC 3339) and, where the record says so, which revision it is about. */
export type DatedCheck = CheckResult & { at: string; revision?: string };

/** Everything known of one service in a release, folded from its events. */
export type ServiceState = {
  service: string;
  stages: Partial<Record<Stage, StageState>>;
  observed: Of<'service.observed'> | null;
  plan: Plan | null;
  preflight: Of<'preflight.failed'>['problems'];
  build: Of<'build.finished'> | null;
  revision: string | null;
  candidateIntended: (Of<'candidate.intended'> & { at: string }) | null;
  candidate: Of<'candidate.observed'> | null;
  /** Grows line by line, replaced by the final profile. */
  profile: RevisionProfile | null;
  startupDecidedBy: string | null;
  checks: DatedCheck[];
  running: string[];
  traffic: (PlannedTraffic & { uri?: string })[];
  trafficSettled: boolean;
  /** When the traffic was last seen to have been changed by this release; null: it was not. */
  trafficAt: string | null;
  /** Every observation of the actual traffic, oldest first, the one before the release included. */
  trafficHistory: { at: string; actual: (PlannedTraffic & { uri?: string })[]; step?: RolloutStep }[];
  /** The last write that was intended and has not been observed: what a resume must read first. */
  openIntent: Intent | null;
  /** Writes that were intended, tries of the same one included. */
  writes: number;
  /** The last etag that this release saw. */
  etag: string | null;
  /** The generation that it saw then; null when the record does not tell. */
  generation: string | null;
  proof: Of<'answer.proven'> | null;
  rollback: Of<'rollback.chosen'> | null;
  /** The hold as this release left it; null: it did nothing to it. */
  hold: { state: 'placed' | 'lifted'; hold: Hold } | null;
  finished: Of<'service.finished'> | null;
};

export type ReleaseState = {
  id: string;
  started: (Of<'release.started'> & { at: string }) | null;
  /** Each time that another process went on with it. */
  resumed: (Of<'release.resumed'> & { at: string })[];
  gate: Of<'gate.judged'> | null;
  /** Commits since the former release of the environment, newest first. */
  commits: Of<'commits.found'>['commits'];
  services: Map<string, ServiceState>;
  finished: (Of<'release.finished'> & { at: string }) | null;
};

export function emptyRelease(id: string): ReleaseState {
  return { id, started: null, resumed: [], gate: null, commits: [], services: new Map(), finished: null };
}

export function foldAll(id: string, events: Iterable<Stamped>): ReleaseState {
  const state = emptyRelease(id);
  for (const event of events) fold(state, event);
  return state;
}

/** Applies one event. The state belongs to the fold; readers only read. Passing events change nothing. */
export function fold(state: ReleaseState, stamped: Stamped): ReleaseState {
  const event: ReleaseEvent = stamped.event;
  switch (event.type) {
    case 'release.started':
      state.started = { ...event, at: stamped.at };
      state.commits = event.commits ?? [];
      for (const name of event.services) serviceOf(state, name);
      return state;
    case 'release.resumed':
      state.resumed.push({ ...event, at: stamped.at });
      return state;
    case 'release.finished':
      state.finished = { ...event, at: stamped.at };
      return state;
    case 'gate.judged':
      state.gate = event;
      return state;
    case 'commits.found':
      state.commits = event.commits;
      return state;
    case 'build.log':
    case 'startup.log':
    case 'progress':
    case 'notice':
      return state;
    default:
      foldService(serviceOf(state, event.service), event, stamped.at);
      return state;
  }
}

function serviceOf(state: ReleaseState, name: string): ServiceState {
  const known = state.services.get(name);
  if (known) return known;
  const fresh: ServiceState = {
    service: name,
    stages: {},
    observed: null,
    plan: null,
    preflight: [],
    build: null,
    revision: null,
    candidateIntended: null,
    candidate: null,
    profile: null,
    startupDecidedBy: null,
    checks: [],
    running: [],
    traffic: [],
    trafficSettled: false,
    trafficAt: null,
    trafficHistory: [],
    openIntent: null,
    writes: 0,
    etag: null,
    generation: null,
    proof: null,
    rollback: null,
    hold: null,
    finished: null,
  };
  state.services.set(name, fresh);
  return fresh;
}

type ServiceEvent = Extract<DurableEvent, { service: string }>;

function foldService(service: ServiceState, event: ServiceEvent, at: string): void {
  switch (event.type) {
    case 'stage.started':
      service.stages[event.stage] = { startedAt: at, outcome: 'running', note: '', seconds: null };
      break;
    case 'stage.finished':
      service.stages[event.stage] = {
        startedAt: service.stages[event.stage]?.startedAt ?? at,
        outcome: event.outcome,
        note: event.note,
        seconds: event.seconds,
      };
      break;
    case 'service.observed':
      service.observed = event;
      service.traffic = event.traffic;
      service.trafficHistory.push({ at, actual: event.traffic });
      service.etag = event.etag;
      service.generation = event.generation ?? null;
      break;
    case 'plan.made':
      service.plan = event.plan;
      service.revision = event.plan.revision;
      break;
    case 'preflight.failed':
      service.preflight = event.problems;
      break;
    case 'build.started':
      break;
    case 'build.finished':
      service.build = event;
      break;
    case 'candidate.intended':
      service.candidateIntended = { ...event, at };
      intend(service, event);
      break;
    case 'candidate.observed':
      service.candidate = event;
      settle(service, event);
      break;
    case 'startup.phase':
    case 'startup.system':
    case 'startup.finding':
      growProfile(service, event);
      break;
    case 'startup.finished':
      // Cloned: later lines grow it, and the event may be folded elsewhere too.
      service.profile = structuredClone(event.profile);
      service.startupDecidedBy = event.decidedBy;
      break;
    case 'check.started':
      service.running.push(event.id);
      break;
    case 'check.finished':
      service.running = service.running.filter((id) => id !== event.result.id);
      service.checks.push({ ...event.result, at, ...(event.revision ? { revision: event.revision } : {}) });
      break;
    case 'traffic.intended':
      // What was proven of the traffic before says nothing of the one to come.
      service.proof = null;
      if (event.purpose === 'restore') service.hold = null;
      intend(service, event);
      break;
    case 'mark.intended':
    case 'hold.intended':
      intend(service, event);
      break;
    case 'rollback.chosen':
      service.rollback = event;
      break;
    case 'hold.placed':
      service.hold = { state: 'placed', hold: event.hold };
      break;
    case 'hold.lifted':
      service.hold = { state: 'lifted', hold: event.hold };
      settle(service, event);
      break;
    case 'traffic.observed':
      service.traffic = event.actual;
      service.trafficSettled = event.settled;
      service.trafficAt = at;
      service.trafficHistory.push({
        at,
        actual: event.actual,
        ...(event.step ? { step: event.step } : {}),
      });
      settle(service, event);
      break;
    case 'mark.observed':
      settle(service, event);
      break;
    case 'answer.proven':
      service.proof = event;
      break;
    case 'service.finished':
      service.finished = event;
      // Of a revision that was planned and never asked for there is nothing to see.
      if (makesRevision(service) && !service.candidateIntended) service.revision = null;
      break;
  }
}

const makesRevision = ({ plan }: ServiceState): boolean =>
  plan?.action === 'create' || plan?.action === 'update';

function intend(service: ServiceState, event: Intent): void {
  service.openIntent = event;
  service.writes += 1;
}

function settle(service: ServiceState, seen: { etag: string; generation?: string }): void {
  service.openIntent = null;
  service.etag = seen.etag;
  service.generation = seen.generation ?? null;
}

function growProfile(
  service: ServiceState,
  event: Of<'startup.phase'> | Of<'startup.system'> | Of<'startup.finding'>,
): void {
  service.profile ??= {
    service: service.service,
    revision: event.revision,
    outcome: 'unknown',
    totalSeconds: null,
    phases: [],
    systems: [],
    rootCause: null,
    findings: [],
  };
  const profile = service.profile;
  if (event.type === 'startup.phase') replaceByName(profile.phases, event.phase);
  else if (event.type === 'startup.system') replaceByName(profile.systems, event.system);
  else profile.findings.push(event.finding);
}

function replaceByName<T extends { name: string }>(list: T[], item: T): void {
  const index = list.findIndex((other) => other.name === item.name);
  if (index < 0) list.push(item);
  else list[index] = item;
}
