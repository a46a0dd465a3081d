import type { ReleaseSummary, ServiceSummary } from '../ledger/summary.ts';

/** One service in one release: a line of the revision table. */
export type HistoryRow = Omit<ReleaseSummary, 'id' | 'services' | 'outcome' | 'intact' | 'chained'> &
  Omit<ServiceSummary, 'traffic'> & {
    release: string;
    /** The newest row of a revision that serves, as far as the records tell. */
    serving: boolean;
    /** `not-chained`: of before records showed a change by hand. */
    evidence: 'intact' | 'damaged' | 'not-chained';
  };

/** Releases, newest first, as the rows of a table. Pure; `service` leaves the others out. */
export function historyOf(releases: readonly ReleaseSummary[], service?: string): HistoryRow[] {
  const now = servingNow(releases);
  return releases.flatMap(({ id, services, intact, chained, outcome: _, ...release }) =>
    services
      .filter((one) => service === undefined || one.service === service)
      .map(({ traffic: _traffic, ...one }): HistoryRow => {
        const key = `${one.service} ${one.revision}`;
        return {
          release: id,
          ...release,
          ...one,
          // Told once, at the newest row of the revision.
          serving: now.delete(key),
          evidence: intact ? 'intact' : chained ? 'damaged' : 'not-chained',
        };
      }),
  );
}

/** `SERVICE REVISION` of what the newest record that saw a service's traffic saw there. */
function servingNow(releases: readonly ReleaseSummary[]): Set<string> {
  const newest = new Map<string, ServiceSummary>();
  for (const one of releases.flatMap(({ services }) => services)) {
    if (one.traffic.length > 0 && !newest.has(one.service)) newest.set(one.service, one);
  }
  return new Set(
    [...newest.values()].flatMap(({ service, traffic }) =>
      traffic.map(({ revision }) => `${service} ${revision}`),
    ),
  );
}
