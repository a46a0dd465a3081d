import type { RecordedRelease } from '../gate/evidence.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { foldAll } from './state.ts';

/** Read in growing windows: most revisions were made a few releases ago. */
const windows = [20, 100, 500];

/**
 * The records that may speak of a service since a release made its revision, that release's first. Ids sort by
 * time; without a `since` no record made it, and none is read.
 */
export async function recordsSince(
  ledger: Ledger,
  of: { environment: string; service: string },
  since: string | undefined,
): Promise<RecordedRelease[]> {
  if (!since) return [];
  for (const limit of windows) {
    const newest = await ledger.releases({ ...of, limit });
    const ids = newest.map(({ id }) => id).filter((id) => id >= since);
    if (ids.length < newest.length || newest.length < limit || limit === windows.at(-1)) {
      return readAll(ledger, ids.toReversed());
    }
  }
  return [];
}

async function readAll(ledger: Ledger, ids: readonly string[]): Promise<RecordedRelease[]> {
  const records = await Promise.all(ids.map((id) => ledger.read(id)));
  return records.flatMap((record) =>
    record ? [{ state: foldAll(record.id, record.events), whole: record.intact }] : [],
  );
}

export type Commit = { commit: string | null; dirty: boolean };

const farthest = 8;

/** The commit that a release's image was built from: a promoted one was built by the release it came from. */
export async function commitOf(
  ledger: Ledger,
  release: string | undefined,
  service: string,
): Promise<Commit> {
  let id = release;
  for (let step = 0; id !== undefined && step < farthest; step++) {
    const record = await ledger.read(id);
    const started = record && foldAll(id, record.events).started;
    if (!started) break;
    if (started.runbook !== 'promote') return { commit: started.commit, dirty: started.dirty };
    id = await sourceOf(ledger, started.from?.releases ?? [], service);
  }
  return { commit: null, dirty: false };
}

async function sourceOf(
  ledger: Ledger,
  releases: readonly string[],
  service: string,
): Promise<string | undefined> {
  for (const id of releases) {
    const record = await ledger.read(id);
    if (record && foldAll(id, record.events).started?.services.includes(service)) return id;
  }
  return undefined;
}
