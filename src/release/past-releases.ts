import type { GateCondition } from '../gate/verdict.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { PastRelease } from '../plan/served.ts';
import { onlyServing } from '../plan/traffic.ts';
import { foldAll, type ReleaseState } from './state.ts';

/** What the newest `limit` records tell of the releases that moved a service's traffic, oldest first. */
export async function readPastReleases(
  ledger: Ledger,
  of: { environment: string; service: string; limit: number },
): Promise<PastRelease[]> {
  const newest = await ledger.releases(of);
  const moved = newest.filter(({ services }) =>
    services.some(({ service, outcome }) => service === of.service && outcome === 'deployed'),
  );
  const records = await Promise.all(moved.map(({ id }) => ledger.read(id)));
  return records
    .flatMap((record) => {
      if (!record) return [];
      const past = pastReleaseOf(foldAll(record.id, record.events), of.service);
      // A damaged record says that something happened, and proves nothing.
      return past ? [record.problems.length > 0 ? { ...past, passed: null } : past] : [];
    })
    .reverse();
}

/** Pure: undefined when the release did not give one revision of the service all the traffic. */
function pastReleaseOf(state: ReleaseState, name: string): PastRelease | undefined {
  const { started, finished } = state;
  const service = state.services.get(name);
  if (!started || !service?.plan || service.finished?.outcome !== 'deployed') return undefined;
  const { runbook } = started;
  if (runbook === 'unpin' || runbook === 'check') return undefined;
  const { revision, formerTraffic, schema, first } = service.plan;
  if (revision === null || onlyServing(service.traffic) !== revision) return undefined;
  return {
    release: state.id,
    at: finished?.at ?? started.at,
    runbook,
    revision,
    former: first ? [] : formerTraffic,
    passed: service.rollback?.skipped.length ? null : metAll(finished?.verdict.conditions ?? [], name),
    schema: schema ?? null,
  };
}

/** Of a release of several services, those conditions that are about this one. */
function metAll(conditions: readonly GateCondition[], service: string): boolean {
  const own = conditions.filter(({ id }) => id.startsWith(`${service}.`));
  return own.length > 0 && own.every(({ met }) => met);
}
