import type { DurableEvent } from '../release/events.ts';
import { foldAll, type ReleaseState, type ServiceState } from '../release/state.ts';
import type { ReleaseRecord } from './record.ts';

type Of<T extends DurableEvent['type']> = Extract<DurableEvent, { type: T }>;

/** A release in one glance: what a list of releases shows. */
export type ReleaseSummary = {
  id: string;
  environment: string;
  /** null when the record's beginning is unreadable. */
  runbook: Of<'release.started'>['runbook'] | null;
  cloud: Of<'release.started'>['cloud'] | null;
  who: string;
  commit: string | null;
  dirty: boolean;
  /** A person's reason; '' when none was given. */
  reason: string;
  /** Where a promoted image comes from. */
  from: Of<'release.started'>['from'] | null;
  /** RFC 3339; null when the record does not say. */
  started: string | null;
  finished: string | null;
  /** `unfinished`: it still runs, or its process died. */
  outcome: Of<'release.finished'>['outcome'] | 'unfinished';
  exitCode: number | null;
  rolledBack: boolean;
  verdict: Of<'release.finished'>['verdict']['decision'] | null;
  /** Conditions of the gate that somebody set aside. */
  overrides: Of<'gate.judged'>['overrides'];
  /** See ReleaseRecord. */
  intact: boolean;
  chained: boolean;
  services: ServiceSummary[];
};

export type ServiceSummary = {
  service: string;
  /** The revision that it made or moved the traffic to. */
  revision: string | null;
  digest: string | null;
  outcome: Of<'service.finished'>['outcome'] | 'unfinished';
  /** Fields that changed: `image`, `env.LOG_LEVEL`; `new service` for the first one. */
  changes: string[];
  /** Why it failed, in a line; '' when it did not. */
  cause: string;
  /** What served when it ended, as far as it was seen. */
  traffic: { revision: string; percent: number }[];
};

/** `environment` is what the id says, for a record whose first event is unreadable. */
export function summarise(record: ReleaseRecord, environment: string): ReleaseSummary {
  const state = foldAll(record.id, record.events);
  const { started, finished } = state;
  return {
    id: record.id,
    environment: started?.environment ?? environment,
    runbook: started?.runbook ?? null,
    cloud: started?.cloud ?? null,
    who: started?.who ?? '',
    commit: started?.commit ?? null,
    dirty: started?.dirty ?? false,
    reason: started?.reason ?? '',
    from: started?.from ?? null,
    started: started?.at ?? null,
    finished: finished?.at ?? null,
    outcome: finished?.outcome ?? 'unfinished',
    exitCode: finished?.exitCode ?? null,
    rolledBack: finished?.rolledBack ?? false,
    verdict: finished?.verdict.decision ?? null,
    overrides: state.gate?.overrides ?? [],
    intact: record.intact,
    chained: record.chained,
    services: [...state.services.values()].map((service) => summariseService(service, state)),
  };
}

function summariseService(service: ServiceState, { started }: ReleaseState): ServiceSummary {
  const { plan, finished } = service;
  const serving = service.traffic.filter(({ percent }) => percent > 0);
  const [only] = serving;
  // A runbook without a plan made no revision: it is about the one that serves when it has ended.
  const moved = !plan && started?.runbook === 'rollback' && serving.length === 1 ? only?.revision : undefined;
  return {
    service: service.service,
    revision: service.revision ?? moved ?? null,
    digest: service.build?.digest || null,
    outcome: finished?.outcome ?? 'unfinished',
    changes: changesOf(plan),
    cause: finished?.diagnosis?.cause ?? service.preflight[0]?.what ?? '',
    traffic: serving.map(({ revision, percent }) => ({ revision, percent })),
  };
}

function changesOf(plan: ServiceState['plan']): string[] {
  if (!plan) return [];
  if (plan.action === 'create') return ['new service'];
  return [...plan.changes, ...plan.serviceWide].map(({ field }) => field);
}
