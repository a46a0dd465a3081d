import type { Cloud, Condition, LiveService, ObservedTraffic, TrafficTarget } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import type { Hold } from '../plan/hold.ts';
import { type Marks, marks as marksOf, readMarks, unfinishedRelease } from '../plan/marks.ts';
import { namedTraffic, onlyServing, pinOf } from '../plan/traffic.ts';

/** A service as Cloud Run has it now, with what Sluice recorded on it. `live` null: it does not exist. */
export type ServiceStatus = {
  service: string;
  environment: string;
  live: {
    url: string;
    ready: boolean;
    conditions: Condition[];
    desired: TrafficTarget[];
    actual: ObservedTraffic[];
    /** What `LATEST` in the traffic stands for; '' while no revision is ready. */
    latestReady: string;
    pin: 'own' | 'foreign' | 'LATEST' | 'none';
    /** The one revision with all the traffic, or '' for a split. */
    revision: string;
    digest: string;
    /** The release that made the revision; '' when it was not Sluice. */
    madeBy: string;
    createdAt: string;
    verified: boolean;
    public: boolean;
  } | null;
  newestRelease: { id: string; state: string } | null;
  /** What a rollback left: no deploy moves the traffic until it is lifted. */
  hold: Hold | null;
  /** A release that wrote to the service and never said how it ended. */
  unfinishedRelease: string | null;
};

export async function readStatus(target: Target, cloud: Cloud, signal: AbortSignal): Promise<ServiceStatus> {
  const place = { service: target.key, environment: target.environment };
  const live = await cloud.run.readService(target.ref, { signal });
  if (!live) return { ...place, live: null, newestRelease: null, hold: null, unfinishedRelease: null };
  const marks = readMarks(live.annotations);
  const revision = onlyServing(namedTraffic(live)) ?? '';
  const found = revision ? await cloud.run.readRevision(target.ref, revision, { signal }) : undefined;
  return {
    ...place,
    live: {
      url: live.uri,
      ready: live.conditions.some(({ type, state }) => type === 'Ready' && state === 'succeeded'),
      conditions: live.conditions,
      desired: live.traffic,
      actual: live.actualTraffic,
      latestReady: live.latestReadyRevision,
      pin: pinName(live, marks),
      revision,
      digest: found?.template.image.split('@')[1] ?? '',
      madeBy: found?.annotations[marksOf.release] ?? '',
      createdAt: found?.createdAt ?? '',
      verified: revision !== '' && marks.verified === revision,
      public: live.public,
    },
    newestRelease: marks.release ? { id: marks.release, state: marks.state ?? 'unknown' } : null,
    hold: marks.hold,
    unfinishedRelease: unfinishedRelease(marks),
  };
}

function pinName(live: LiveService, marks: Marks): 'own' | 'foreign' | 'LATEST' | 'none' {
  const { kind } = pinOf(live, marks);
  return kind === 'latest' ? 'LATEST' : kind;
}
