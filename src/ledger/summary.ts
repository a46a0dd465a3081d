import type { DurableEvent } from '../release/events.ts';
import { foldAll } from '../release/state.ts';
import type { ReleaseRecord } from './record.ts';

/** A release in one glance: what a list of releases shows. */
export type ReleaseSummary = {
  id: string;
  environment: string;
  who: string;
  /** RFC 3339; null when the record does not say. */
  started: string | null;
  finished: string | null;
  /** `unfinished`: it still runs, or its process died. */
  outcome: Extract<DurableEvent, { type: 'release.finished' }>['outcome'] | 'unfinished';
  exitCode: number | null;
  rolledBack: boolean;
  services: ServiceSummary[];
};

type ServiceSummary = {
  service: string;
  revision: string | null;
  digest: string | null;
  outcome: Extract<DurableEvent, { type: 'service.finished' }>['outcome'] | 'unfinished';
};

/** `environment` is what the id says, for a record whose first event is unreadable. */
export function summarise(record: ReleaseRecord, environment: string): ReleaseSummary {
  const state = foldAll(record.id, record.events);
  return {
    id: record.id,
    environment: state.started?.environment ?? environment,
    who: state.started?.who ?? '',
    started: state.started?.at ?? null,
    finished: state.finished?.at ?? null,
    outcome: state.finished?.outcome ?? 'unfinished',
    exitCode: state.finished?.exitCode ?? null,
    rolledBack: state.finished?.rolledBack ?? false,
    services: [...state.services.values()].map((service) => ({
      service: service.service,
      revision: service.revision,
      digest: service.build?.digest ?? null,
      outcome: service.finished?.outcome ?? 'unfinished',
    })),
  };
}
