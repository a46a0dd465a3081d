import { pathToFileURL } from 'node:url';
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
  /** Puts a JSON document beside a release's record, once: `evidence-chat.intoto.json`. Throws when it is there. */
  attach(id: string, name: string, bytes: Uint8Array): Promise<{ where: string }>;
  attachment(id: string, name: string): Promise<Uint8Array | undefined>;
  /** The URL of a release's record. */
  where(id: string): string;
};

type Recorder = {
  readonly id: string;
  /**
   * Durable once it resolves. Appends are written in the order of their calls; after one has failed all
   * later ones fail, so that a record has no gap. Throws `conflict` when somebody else writes this release.
   */
  append(events: readonly Stamped<DurableEvent>[]): Promise<void>;
};

const maxSegments = 999_999;

export function openLedger(store: ObjectStore, by: { now: () => Date; random: () => number }): Ledger {
  const releases: Ledger['releases'] = async ({ environment, service, limit }) => {
    const found: ReleaseSummary[] = [];
    for (const id of (await store.folders('releases/')).reverse()) {
      if (found.length >= limit) break;
      const named = environmentOf(id);
      if (named === undefined || (environment !== undefined && named !== environment)) continue;
      if (service !== undefined && !(await concerns(store, id, service))) continue;
      const record = await readRecord(store, id);
      if (record) found.push(summarise(record, named));
    }
    return found;
  };
  return {
    newId: (environment) => newReleaseId(environment, by.now(), by.random),
    begin: (id) => recorder(store, id),
    read: (id) => readRecord(store, id),
    releases,
    latestFor: async (environment, service) => (await releases({ environment, service, limit: 1 }))[0],
    attach: async (id, name, bytes) => {
      const full = attachmentName(id, name);
      if ((await store.create(full, bytes)) === 'exists') throw writtenByAnother(id, store.where(full));
      return { where: store.where(full) };
    },
    attachment: async (id, name) => (await store.read(attachmentName(id, name)))?.bytes,
    where: (id) => {
      const place = store.where(`releases/${id}`);
      return place.includes('://') ? place : pathToFileURL(place).href;
    },
  };
}

function recorder(store: ObjectStore, id: string): Recorder {
  if (environmentOf(id) === undefined) throw new Error(`'${id}' is not a release id`);
  let segments = 0;
  const write = async (events: readonly Stamped<DurableEvent>[]) => {
    if (segments >= maxSegments) throw new Error(`release ${id} has more than ${maxSegments} segments`);
    const name = segmentName(id, segments + 1);
    const outcome = await store.create(name, encodeSegment(events));
    if (outcome === 'exists') throw writtenByAnother(id, store.where(name));
    segments += 1;
  };

  let waiting: Stamped<DurableEvent>[] = [];
  let last = Promise.resolve();
  let scheduled = false;
  return {
    id,
    append: (events) => {
      waiting.push(...events);
      // One segment takes all that came while the one before was written.
      if (waiting.length > 0 && !scheduled) {
        scheduled = true;
        last = last.then(() => {
          const batch = waiting;
          waiting = [];
          scheduled = false;
          return write(batch);
        });
      }
      return last;
    },
  };
}

async function readRecord(store: ObjectStore, id: string): Promise<ReleaseRecord | undefined> {
  if (environmentOf(id) === undefined) return undefined;
  const names = (await store.list(`releases/${id}/`)).filter((name) => !name.endsWith(attached));
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

/** One small read tells it for most releases; when the beginning does not say, the whole record does. */
async function concerns(store: ObjectStore, id: string, service: string): Promise<boolean> {
  const name = segmentName(id, 1);
  const first = await store.read(name);
  const head = first && decodeSegments(id, [{ name, bytes: first.bytes }]).events[0]?.event;
  if (head?.type === 'release.started') return head.services.includes(service);
  const record = await readRecord(store, id);
  return record?.events.some(({ event }) => 'service' in event && event.service === service) ?? false;
}

/** Everything else in a release's folder is a segment of its record. */
const attached = '.json';

function attachmentName(id: string, name: string): string {
  if (environmentOf(id) === undefined || !name.endsWith(attached)) {
    throw new Error(`'${name}' is no attachment of a release '${id}'`);
  }
  return `releases/${id}/${name}`;
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
