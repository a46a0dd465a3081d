import type { LiveRevision, LiveService } from '../cloud/ports/index.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { marks, readMarks } from '../plan/marks.ts';
import type { PlannedTraffic } from '../plan/plan.ts';
import { foldAll } from './state.ts';

/**
 * What served before a revision, as the release that made it recorded: on the service while that is its newest
 * release, in the ledger later on. null: nobody knows.
 */
export async function formerTrafficOf(
  service: string,
  revision: LiveRevision,
  live: LiveService,
  ledger: Pick<Ledger, 'read'>,
): Promise<readonly PlannedTraffic[] | null> {
  const release = revision.annotations[marks.release];
  const newest = readMarks(live.annotations);
  if (!release) return null;
  if (release === newest.release) return newest.formerTraffic;
  const record = await ledger.read(release);
  const made = record && foldAll(record.id, record.events).services.get(service)?.candidateIntended;
  return made?.revision === revision.name ? made.formerTraffic : null;
}
