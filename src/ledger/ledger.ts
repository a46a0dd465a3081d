import { pathToFileURL } from 'node:url';
import { SluiceError } from '../errors.ts';
import type { DurableEvent, Stamped } from '../release/events.ts';
import { encodeSegment } from './encode.ts';
import type { ObjectStore } from './object-store.ts';
import type { ReleaseRecord } from './record.ts';
import { environmentOf, newReleaseId } from './release-id.ts';
import { type ReleaseSummary, summarise } from './summary.ts';

/** Append-only events per release: `releases/ID/000001.ndjson`, each segment written once. */
export type Ledger = {
  newId(environment: string): string;
  begin(id: string): Recorder;
  /** What was recorded, and how to go on with it; undefined when there is no such release. */
  reopen(id: string): Promise<{ record: ReleaseRecord; recorder: Recorder } | undefined>;
  /** undefined when there is no such release. */
  read(id: string): Promise<ReleaseRecord | undefined>;
  /** Newest first. */
  releases(query: ReleaseQuery): Promise<ReleaseSummary[]>;
  /** The ids of all releases, oldest first. */
  ids(): Promise<string[]>;
  latestFor(environment: string, service: string): Promise<ReleaseSummary | undefined>;
  /** Puts a JSON document beside a release's record, once: `evidence-chat.intoto.json`. Throws when it is there. */
  attach(id: string, name: string, bytes: Uint8Array): Promise<{ where: string }>;
  attachment(id: string, name: string): Promise<Uint8Array | undefined>;
  /** The URL of a release's record. */
  where(id: string): string;
};

type ReleaseQuery = {
  environment?: string;
  service?: string;
  /** Releases rehearsed on the local cloud and those on Google's lie in one ledger. */
  cloud?: 'google' | 'local';
  /** Without those that had nothing to do, and without mere checks. */
  changesOnly?: boolean;
  limit: number;
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
const readAtOnce = 8;

export function openLedger(store: ObjectStore, by: { now: () => Date; random: () => number }): Ledger {
  const releases: Ledger['releases'] = async (query) => {
    const ids = (await store.folders('releases/')).filter((id) => belongsTo(id, query.environment));
    const found: ReleaseSummary[] = [];
    // Newest first, several at a time: a bucket is far away.
    const atOnce = Math.min(query.limit, readAtOnce);
    for (let end = ids.length; end > 0 && found.length < query.limit; end -= atOnce) {
      const batch = ids.slice(Math.max(0, end - atOnce), end).reverse();
      const summaries = await Promise.all(batch.map((id) => summaryOf(store, id, query)));
      found.push(...summaries.filter((summary) => summary !== undefined));
    }
    return found.slice(0, query.limit);
  };
  return {
    newId: (environment) => newReleaseId(environment, by.now(), by.random),
    begin: (id) => recorder(store, id, { segments: 0, head: id }),
    reopen: async (id) => {
      const record = await readRecord(store, id);
      return record && { record, recorder: recorder(store, id, record) };
    },
    read: (id) => readRecord(store, id),
    releases,
    ids: async () => (await store.folders('releases/')).filter((id) => environmentOf(id) !== undefined),
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

function recorder(store: ObjectStore, id: string, from: { segments: number; head: string }): Recorder {
  if (environmentOf(id) === undefined) throw new Error(`'${id}' is not a release id`);
  let { segments, head } = from;
  const write = async (events: readonly Stamped<DurableEvent>[]) => {
    if (segments >= maxSegments) throw new Error(`release ${id} has more than ${maxSegments} segments`);
    const name = segmentName(id, segments + 1);
    const segment = encodeSegment(head, events);
    const outcome = await store.create(name, segment.bytes);
    if (outcome === 'exists') throw writtenByAnother(id, store.where(name));
    segments += 1;
    head = segment.head;
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

/** A release that only writes its record needs no schemas of events. */
const loadDecoder = () => import('./record.ts');

async function readRecord(store: ObjectStore, id: string): Promise<ReleaseRecord | undefined> {
  if (environmentOf(id) === undefined) return undefined;
  const names = (await store.list(`releases/${id}/`)).filter((name) => !name.endsWith(attached));
  const objects = await Promise.all(names.map(async (name) => ({ name, object: await store.read(name) })));
  const segments = objects.flatMap(({ name, object }) => (object ? [{ name, bytes: object.bytes }] : []));
  if (segments.length === 0) return undefined;
  const { decodeSegments, report } = await loadDecoder();
  const record = decodeSegments(id, segments);
  const odd = segments.findIndex(({ name }, index) => name !== segmentName(id, index + 1));
  if (odd >= 0) {
    const why = `segment ${odd + 1} is missing or this one is foreign`;
    report(record, { kind: 'damaged', segment: segments[odd]?.name ?? '', line: 0, why });
  }
  return record;
}

/** undefined when the release is none that the query asks for. */
async function summaryOf(
  store: ObjectStore,
  id: string,
  { service, cloud, changesOnly = false }: ReleaseQuery,
): Promise<ReleaseSummary | undefined> {
  // One small read tells it for most releases; when the beginning does not say, the whole record does.
  const name = segmentName(id, 1);
  const first = service === undefined && cloud === undefined ? undefined : await store.read(name);
  const { decodeSegments } = await loadDecoder();
  const head = first && decodeSegments(id, [{ name, bytes: first.bytes }]).events[0]?.event;
  if (head?.type === 'release.started') {
    if (cloud !== undefined && head.cloud !== cloud) return undefined;
    if (service !== undefined && !head.services.includes(service)) return undefined;
  }
  const record = await readRecord(store, id);
  const summary = record && summarise(record, environmentOf(id) ?? '');
  if (!summary || (changesOnly && (summary.outcome === 'unchanged' || summary.runbook === 'check'))) {
    return undefined;
  }
  return service === undefined || summary.services.some((one) => one.service === service)
    ? summary
    : undefined;
}

function belongsTo(id: string, environment: string | undefined): boolean {
  const named = environmentOf(id);
  return named !== undefined && (environment === undefined || named === environment);
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
