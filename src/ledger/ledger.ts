import { SluiceError } from '../errors.ts';
import type { DurableEvent, Stamped } from '../release/events.ts';
import type { ObjectStore } from './object-store.ts';
import { decodeSegments, encodeSegment, type ReleaseRecord } from './record.ts';
import { environmentOf, newReleaseId } from './release-id.ts';
import { type ReleaseSummary, summarise } from './summary.ts';

/** Append-only events per release: `releases/ID/000001.ndjson`, each segment written once. */
export type Ledger = {
  newId(environment: string): string;
  begin(id: string): Recorder;
  /** undefined when there is no such release. */
  read(id: string): Promise<ReleaseRecord | undefined>;
  /** Newest first. */
  releases(query: { environment?: string; service?: string; limit: number }): Promise<ReleaseSummary[]>;
  latestFor(environment: string, service: string): Promise<ReleaseSummary | undefined>;
};

export type Recorder = {
  readonly id: string;
  /**
   * Durable once it resolves. Appends are written in the order of their calls; after one has failed all
   * later ones fail, so that a record has no gap. Throws `conflict` when somebody else writes this release.
   */
  append(events: readonly Stamped<DurableEvent>[]): Promise<void>;
};

const maxSegments = 999_999;

export function openLedger(store: ObjectStore, by: { now: () => Date; random: () => number }): Ledger {
  const read = async (id: string) => readRecord(store, id);
  const releases: Ledger['releases'] = async ({ environment, service, limit }) => {
    const found: ReleaseSummary[] = [];
    for (const id of (await store.folders('releases/')).reverse()) {
      if (found.length >= limit) break;
      const named = environmentOf(id);
      if (named === undefined || (environment !== undefined && named !== environment)) continue;
      const record = await read(id);
      if (!record) continue;
      const summary = summarise(record, named);
      if (service === undefined || summary.services.some((one) => one.service === service))
        found.push(summary);
    }
    return found;
  };
  return {
    newId: (environment) => newReleaseId(environment, by.now(), by.random),
    begin: (id) => recorder(store, id),
    read,
    releases,
    latestFor: async (environment, service) => (await releases({ environment, service, limit: 1 }))[0],
  };
}

function recorder(store: ObjectStore, id: string): Recorder {
  if (environmentOf(id) === undefined) throw new Error(`'${id}' is not a release id`);
  let written = 0;
  let last = Promise.resolve();
  const write = async (events: readonly Stamped<DurableEvent>[]) => {
    if (written >= maxSegments) throw new Error(`release ${id} has more than ${maxSegments} segments`);
    const name = segmentName(id, written + 1);
    const outcome = await store.create(name, encodeSegment(events));
    if (outcome === 'exists') throw writtenByAnother(id, store.where(name));
    written += 1;
  };
  return {
    id,
    append: (events) => {
      if (events.length > 0) last = last.then(() => write(events));
      return last;
    },
  };
}

async function readRecord(store: ObjectStore, id: string): Promise<ReleaseRecord | undefined> {
  if (environmentOf(id) === undefined) return undefined;
  const names = await store.list(`releases/${id}/`);
  const objects = await Promise.all(names.map(async (name) => ({ name, object: await store.read(name) })));
  const segments = objects.flatMap(({ name, object }) => (object ? [{ name, bytes: object.bytes }] : []));
  if (segments.length === 0) return undefined;
  const record = decodeSegments(id, segments);
  for (const [index, { name }] of segments.entries()) {
    if (name === segmentName(id, index + 1)) continue;
    record.problems.push({
      segment: name,
      line: 0,
      why: `segment ${index + 1} is missing or this one is foreign`,
    });
    break;
  }
  return record;
}

function segmentName(id: string, number: number): string {
  return `releases/${id}/${String(number).padStart(6, '0')}.ndjson`;
}

function writtenByAnother(id: string, where: string): SluiceError {
  return new SluiceError('conflict', {
    what: `Somebody else writes release ${id}`,
    why: `${where} exists already, and a record is only ever added to`,
    next: ['run the command again: it begins a release of its own'],
  });
}
