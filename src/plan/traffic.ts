import type { LiveService } from '../cloud/ports/index.ts';
import { candidateTag, type Marks, readMarks, rollbackTag } from './marks.ts';
import type { PlannedTraffic } from './plan.ts';

/** Percent by revision, LATEST resolved to the latest ready revision as Cloud Run does. */
export function shares(
  traffic: readonly { revision: string; percent: number }[],
  latestReady: string,
): Map<string, number> {
  const result = new Map<string, number>();
  for (const { revision, percent } of traffic) {
    if (percent === 0) continue;
    const name = revision === 'LATEST' ? latestReady : revision;
    result.set(name, (result.get(name) ?? 0) + percent);
  }
  return result;
}

/** The one revision with all the traffic; undefined for a split or for none. */
export function onlyServing(traffic: readonly PlannedTraffic[], latestReady = ''): string | undefined {
  const [entry, ...others] = shares(traffic, latestReady);
  return entry?.[0] && others.length === 0 && entry[1] === 100 ? entry[0] : undefined;
}

/** Revisions as they really serve, by name, foreign tags apart: what a restore writes. */
export function namedTraffic(live: LiveService): PlannedTraffic[] {
  const served = live.actualTraffic.length > 0 ? live.actualTraffic : live.traffic;
  const percents = [...shares(served, live.latestReadyRevision)].filter(([name]) => name !== '');
  return [
    ...percents.map(([revision, percent]) => ({ revision, percent })),
    ...foreignTags(live, null).map((tagged) => ({ ...tagged, percent: 0 })),
  ];
}

/**
 * Every tag but Sluice's own and the one that a release takes for itself (whoever has it): they stay whatever
 * happens.
 */
export function foreignTags(
  live: LiveService | undefined,
  takes: string | null = candidateTag,
): { revision: string; tag: string }[] {
  const own = ownTags(live);
  return (live?.traffic ?? []).flatMap(({ revision, tag }) =>
    tag && tag !== takes && own.get(tag) !== revision ? [{ revision, tag }] : [],
  );
}

/** Tag → the revision that Sluice gave it. */
export function ownTags(live: LiveService | undefined): Map<string, string | null> {
  const { candidate, warmed } = readMarks(live?.annotations ?? {});
  return new Map([
    [candidateTag, candidate],
    [rollbackTag, warmed],
  ]);
}

/** A traffic as its mark: `chat-r1`, or `chat-r1=90,chat-r2=10` for a split; null for none. */
export function pinText(traffic: readonly PlannedTraffic[], latestReady = ''): string | null {
  const only = onlyServing(traffic, latestReady);
  if (only) return only;
  const parts = [...shares(traffic, latestReady)].map(([revision, percent]) => `${revision}=${percent}`);
  return parts.sort().join(',') || null;
}

export type Pin =
  /** LATEST has all the traffic: nobody holds it. */
  | { kind: 'latest' }
  | { kind: 'own' }
  /** Named revisions that Sluice did not choose. */
  | { kind: 'foreign'; traffic: PlannedTraffic[] }
  | { kind: 'none' };

export function pinOf(live: LiveService, marks: Marks): Pin {
  const weighted = live.traffic.filter((entry) => entry.percent > 0);
  if (weighted.length === 0) return { kind: 'none' };
  if (weighted.every((entry) => entry.revision === 'LATEST')) return { kind: 'latest' };
  if (marks.pin !== null && pinText(weighted, live.latestReadyRevision) === marks.pin) return { kind: 'own' };
  return {
    kind: 'foreign',
    traffic: weighted.map(({ revision, percent }) => ({ revision, percent })),
  };
}

/** Does the cloud do what is desired: same shares, same tags on the same revisions? */
export function sameTraffic(
  desired: readonly PlannedTraffic[],
  actual: readonly PlannedTraffic[],
  latestReady: string,
): boolean {
  return (
    sameEntries(shares(desired, latestReady), shares(actual, latestReady)) &&
    sameEntries(tags(desired, latestReady), tags(actual, latestReady))
  );
}

export function describeTraffic(traffic: readonly PlannedTraffic[]): string {
  const weighted = traffic.filter((entry) => entry.percent > 0);
  if (weighted.length === 0) return 'no traffic';
  return weighted.map(({ revision, percent }) => `${revision} ${percent} %`).join(', ');
}

function tags(traffic: readonly PlannedTraffic[], latestReady: string): Map<string, string> {
  return new Map(
    traffic.flatMap(({ revision, tag }) =>
      tag ? [[tag, revision === 'LATEST' ? latestReady : revision] as const] : [],
    ),
  );
}

function sameEntries<V>(a: Map<string, V>, b: Map<string, V>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
