import type { Target } from '../config/target.ts';
import { errorMessage } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Locks } from '../ledger/lock.ts';
import type { ReleaseRecord } from '../ledger/record.ts';
import type { Statements } from '../ledger/statements.ts';
import type { ReleaseSummary } from '../ledger/summary.ts';
import { candidateTag } from '../plan/marks.ts';
import { resumeCommand } from '../plan/resume-command.ts';
import { foldAll } from './state.ts';
import type { ServiceStatus } from './status.ts';

/** Something that waits for somebody, and what to type about it. */
type OpenItem = { what: string; next: string | null };

/** What the ledger adds to what is live. */
export type RecordedStatus = {
  /** The release that made what serves; null when this ledger does not hold it. */
  made: {
    release: string;
    who: string;
    commit: string | null;
    dirty: boolean;
    verdict: 'ready' | 'pending' | 'blocked' | null;
    intact: boolean;
  } | null;
  lastRelease: Pick<ReleaseSummary, 'id' | 'runbook' | 'outcome' | 'exitCode' | 'who' | 'started'> | null;
  /** Who is at work on the service now. */
  lock: { who: string; since: string; why: string; release: string; host: string } | null;
  open: OpenItem[];
};

export type RecordsOf = { ledger: Ledger; locks: Locks; statements: Statements };

/** `deploy`: the command to type. A ledger that cannot be read is an open item; what is live is told all the same. */
export async function readRecorded(
  target: Target,
  status: ServiceStatus,
  deploy: string,
  records: RecordsOf,
): Promise<RecordedStatus> {
  try {
    return await readAll(target, status, deploy, records);
  } catch (error) {
    const what = `the ledger cannot be read: ${errorMessage(error).split('\n')[0]}`;
    return { made: null, lastRelease: null, lock: null, open: [{ what, next: null }] };
  }
}

async function readAll(
  target: Target,
  status: ServiceStatus,
  deploy: string,
  { ledger, locks, statements }: RecordsOf,
): Promise<RecordedStatus> {
  const { environment, key: service, cloud } = target;
  const [holder, [last], named] = await Promise.all([
    locks.holder(target.ref),
    ledger.releases({ environment, service, cloud, limit: 1 }),
    status.live?.madeBy ? ledger.read(status.live.madeBy) : undefined,
  ]);
  // gcloud copies what a template is annotated with into the revisions that it makes itself.
  const makes = named && madeRevision(named, service);
  const isMaker = makes === undefined || makes === status.live?.revision;
  const record = isMaker ? named : undefined;
  const signed = await statements.signatures({ environment, service });
  const atWork = holder?.release;
  const unfinished = new Set(
    [status.unfinishedRelease, last?.outcome === 'unfinished' ? last.id : null].filter((id) => id !== null),
  );
  const isSigned = (item: string): boolean =>
    signed.some(
      (one) =>
        one.item === item && one.revision === status.live?.revision && one.digest === status.live.digest,
    );
  return {
    made: record ? madeOf(record) : null,
    lastRelease: last ? lastOf(last) : null,
    lock: holder
      ? { who: holder.who, since: holder.when, why: holder.why, release: holder.release, host: holder.host }
      : null,
    open: [
      ...[...unfinished]
        .filter((id) => id !== atWork)
        .map((id) => ({ what: `release ${id} has not finished`, next: resumeCommand(deploy, id) })),
      ...(record ? pendingChecks(record, service).filter((id) => !isSigned(id)) : []).map((id) => ({
        what: `the check ${id} waits for a person`,
        next: `${deploy.replace(/^sluice \S+ (\S+)/, `sluice sign $1 ${id}`)} --note "…"`,
      })),
      ...damaged(record, last).map((id) => ({
        what: `the record of ${id} has been damaged`,
        next: deploy.replace(/^sluice \S+ \S+/, 'sluice ledger verify').replace(/ --service \S+/, ''),
      })),
      ...keptCandidate(status),
    ],
  };
}

function madeRevision({ id, events }: ReleaseRecord, service: string): string | undefined {
  return foldAll(id, events).services.get(service)?.revision ?? undefined;
}

function madeOf(record: ReleaseRecord): RecordedStatus['made'] {
  const { started, finished } = foldAll(record.id, record.events);
  return {
    release: record.id,
    who: started?.who ?? '',
    commit: started?.commit ?? null,
    dirty: started?.dirty ?? false,
    verdict: finished?.verdict.decision ?? null,
    intact: record.intact,
  };
}

function lastOf({
  id,
  runbook,
  outcome,
  exitCode,
  who,
  started,
}: ReleaseSummary): RecordedStatus['lastRelease'] {
  return { id, runbook, outcome, exitCode, who, started };
}

function pendingChecks(record: ReleaseRecord, service: string): string[] {
  const checks = foldAll(record.id, record.events).services.get(service)?.checks ?? [];
  return [...new Set(checks.filter(({ status }) => status === 'pending').map(({ id }) => id))];
}

function damaged(made: ReleaseRecord | undefined, last: ReleaseSummary | undefined): string[] {
  const hurt = [
    ...(made && !made.intact && made.problems.length > 0 ? [made.id] : []),
    ...(last && !last.intact && last.chained ? [last.id] : []),
  ];
  return [...new Set(hurt)];
}

function keptCandidate({ live }: ServiceStatus): OpenItem[] {
  const kept = live?.actual.find(({ tag, revision }) => tag === candidateTag && revision !== live.revision);
  if (!kept) return [];
  return [
    {
      what: `the candidate ${kept.revision} is kept for a look${kept.uri ? `: ${kept.uri}` : ''}`,
      next: null,
    },
  ];
}
