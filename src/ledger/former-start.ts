import { foldAll, type ReleaseState, type ServiceState } from '../release/state.ts';
import type { Ledger } from './ledger.ts';
import type { ServiceSummary } from './summary.ts';

type Start = { release: string; profile: NonNullable<ServiceState['profile']> };

/** How far back a start is looked for. */
const releasesLookedAt = 20;

/** For each service of a release, the newest start before it in the same environment that went well. */
export async function formerStarts(
  ledger: Pick<Ledger, 'releases' | 'read'>,
  state: ReleaseState,
): Promise<Map<string, Start>> {
  const found = new Map<string, Start>();
  if (!state.started) return found;
  const { environment, cloud } = state.started;
  for (const service of state.services.keys()) {
    const newest = await ledger.releases({ environment, cloud, service, limit: releasesLookedAt });
    // Their summaries tell which records are worth reading again.
    const went = newest.filter(({ id, services }) => id < state.id && isDeployed(services, service));
    for (const { id } of went) {
      const record = await ledger.read(id);
      const former = record && foldAll(id, record.events).services.get(service);
      if (former?.profile?.outcome !== 'started') continue;
      found.set(service, { release: id, profile: former.profile });
      break;
    }
  }
  return found;
}

function isDeployed(services: readonly ServiceSummary[], name: string): boolean {
  return services.some(({ service, outcome }) => service === name && outcome === 'deployed');
}
