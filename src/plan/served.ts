import type { PlannedTraffic } from './plan.ts';
import type { SchemaNote } from './schema-note.ts';
import { onlyServing } from './traffic.ts';

/** What the record of a finished release tells of one service whose traffic it moved. */
export type PastRelease = {
  release: string;
  /** RFC 3339: when it ended. */
  at: string;
  runbook: 'deploy' | 'promote' | 'rollback';
  /** The revision that it gave all the traffic. */
  revision: string;
  /** What served before; empty when nothing did. */
  former: PlannedTraffic[];
  /** All that was demanded of this service was met; null: some of it was left out (`--now`). */
  passed: boolean | null;
  schema: SchemaNote | null;
};

/** A revision that had all the traffic for a while. `passed` null: no record here tells. */
export type Served = {
  revision: string;
  release: string | null;
  at: string | null;
  passed: boolean | null;
};

/**
 * The revisions that served one after the other, the current one last, as far as records tell; pure. A rollback goes
 * back in it, so that what was rolled back is no longer in it. What records leave out is in it as unknown, never
 * passed over: somebody else's traffic, or a release of another machine. A split is unknown and has no name. Records
 * that begin later give the same end, or an unknown one.
 */
export function servedInTurn(oldestFirst: readonly PastRelease[]): Served[] {
  const turn: Served[] = [];
  // Ids of one second are in no order; one release at a time moves a service's traffic, so their ends are.
  for (const past of oldestFirst.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))) {
    standOn(turn, past.former);
    const { revision, release, at, passed } = past;
    const known = turn.findIndex((served) => served.revision === revision);
    const [before] = known < 0 ? [] : turn.splice(known, 1);
    if (past.runbook === 'rollback') {
      turn.length = Math.max(0, known);
      // Back to where no record reaches: what was before that is not known either.
      if (!before) turn.push(unknown);
    }
    // Having passed once is enough: a rollback with `--now` takes nothing away.
    turn.push(before?.passed ? before : { revision, release, at, passed });
  }
  return turn;
}

const unknown: Served = { revision: '', release: null, at: null, passed: null };

/** Makes the last of them what really served before a release. */
function standOn(turn: Served[], former: readonly PlannedTraffic[]): void {
  if (former.every(({ percent }) => percent === 0)) {
    turn.length = 0;
    return;
  }
  const revision = onlyServing(former) ?? '';
  const known = turn.findLastIndex((served) => served.revision === revision);
  if (known >= 0 && revision !== '') turn.length = known + 1;
  else turn.push({ ...unknown, revision });
}
