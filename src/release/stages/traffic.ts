import type { LiveService, ServiceEdit } from '../../cloud/ports/index.ts';
import { trafficEdit } from '../../plan/edits.ts';
import type { Change, PlannedTraffic } from '../../plan/plan.ts';
import { describeTraffic, sameTraffic } from '../../plan/traffic.ts';
import { refuseForeignChange, writeGuarded } from '../guarded-write.ts';
import type { StageResult } from '../journal.ts';
import { pause, until } from '../pause.ts';
import { proveAnswers } from '../prove-answers.ts';
import { doorTo } from '../requests.ts';
import type { RevisionLog } from '../revision-log.ts';
import { call, type ServiceRun, StageFailure, typed } from '../run.ts';
import type { NamedPlan } from './candidate.ts';

/** One write, then three proofs: actual equals desired, the right revision answers, and it keeps quiet while it bakes. */
export async function moveTraffic(
  run: ServiceRun,
  plan: NamedPlan,
  log: RevisionLog,
): Promise<StageResult<LiveService>> {
  const { revision } = plan;
  refuseFatal(run, revision, log);
  const { live, desired } = await placeTraffic(run, {
    purpose: 'migrate',
    serviceWide: plan.serviceWide,
    everServed: true,
    edit: (fresh) => trafficEdit(fresh, plan, { release: run.journal.release, revision }),
  });
  const proof = await proveAnswers(run, doorTo(run, live, publicUrl(run, live)), live, revision);
  if (!proof.proven) {
    throw new StageFailure('traffic', {
      what: `The traffic of ${run.target.ref.service} was moved, but ${revision} is not proven to answer.`,
      why: proof.why,
      next: [typed(run, 'status')],
    });
  }
  await bake(run, revision, log);
  return { value: live, note: `${describeTraffic(desired)}, ${proof.answers} answers in a row` };
}

/** The environment's own URL, or the one Cloud Run gives. The local cloud has no custom domains. */
export function publicUrl(run: ServiceRun, live: LiveService): string {
  return run.cloud.kind === 'google' && run.target.url ? run.target.url : live.uri;
}

type TrafficWrite = {
  purpose: 'migrate' | 'restore';
  serviceWide: Change[];
  /** False when the candidate never got ready. */
  everServed: boolean;
  edit: (fresh: LiveService | undefined) => ServiceEdit & { traffic: PlannedTraffic[] };
};

/** Writes a traffic, its intent first, and waits until it is the actual one. */
export async function placeTraffic(
  run: ServiceRun,
  { purpose, serviceWide, everServed, edit }: TrafficWrite,
): Promise<{ live: LiveService; desired: PlannedTraffic[] }> {
  let desired: PlannedTraffic[] = [];
  const { live: written } = await writeGuarded(run, {
    edit: (fresh) => {
      const made = edit(fresh);
      desired = made.traffic;
      return made;
    },
    intent: (etag) => ({
      type: 'traffic.intended',
      service: run.target.key,
      purpose,
      traffic: desired,
      serviceWide,
      etag,
    }),
  });
  return { live: await awaitTraffic(run, written, { desired, purpose, everServed }), desired };
}

/**
 * Desired is not actual: waits until Cloud Run reports what was asked for. A candidate that never served cannot
 * be in the traffic, however long Cloud Run still works on it; its tag is routed only when it is ready.
 */
async function awaitTraffic(
  run: ServiceRun,
  written: LiveService,
  to: { desired: PlannedTraffic[]; purpose: 'migrate' | 'restore'; everServed: boolean },
): Promise<LiveService> {
  const { desired, purpose } = to;
  const { value, met } = await until(
    run,
    async () => {
      const live = await run.cloud.run.readService(run.target.ref, call(run));
      if (live && BigInt(live.generation) > BigInt(written.generation)) refuseForeignChange(run, live);
      return live;
    },
    (live) =>
      live !== undefined &&
      live.generation === written.generation &&
      (to.everServed
        ? routed(live) && sameTraffic(desired, live.actualTraffic, live.latestReadyRevision)
        : sameTraffic(weighted(desired), weighted(live.actualTraffic), live.latestReadyRevision)),
    { everyMs: 200, withinMs: run.target.rollout.trafficDeadlineSeconds * 1000 },
  );
  const live = value ?? written;
  run.journal.emit({
    type: 'traffic.observed',
    service: run.target.key,
    purpose,
    actual: live.actualTraffic,
    settled: met,
    etag: live.etag,
    generation: live.generation,
  });
  if (met) return live;
  throw new StageFailure('traffic', {
    what: `The traffic of ${run.target.ref.service} did not become what was asked for within ${run.target.rollout.trafficDeadlineSeconds} s.`,
    why: `Desired: ${describeTraffic(desired)}. Actual: ${describeTraffic(live.actualTraffic)}.`,
    next: [typed(run, 'status')],
  });
}

const weighted = <T extends PlannedTraffic>(traffic: readonly T[]): T[] =>
  traffic.filter(({ percent }) => percent > 0);

/** When the newest revision has failed, `observedGeneration` stays behind for good: the routes are told apart. */
function routed(live: LiveService): boolean {
  const routes = live.conditions.find(({ type }) => type === 'RoutesReady');
  return !live.reconciling && (live.generation === live.observedGeneration || routes?.state === 'succeeded');
}

/** Throws when the log of a revision that had started tells of its end. */
export function refuseFatal(run: ServiceRun, revision: string, log: RevisionLog): void {
  const finding = log.fatal();
  if (!finding) return;
  throw new StageFailure(
    'checklist',
    {
      what: `Revision ${revision} had started, and then failed: ${finding.cause}`,
      next: [typed(run, 'logs', '--revision', revision)],
    },
    { finding },
  );
}

/** Watches the log for a while under real traffic; a fatal line ends it at once. */
async function bake(run: ServiceRun, revision: string, log: RevisionLog): Promise<void> {
  const { bakeSeconds } = run.target.rollout;
  const alarm = new AbortController();
  const deaf = log.listen(() => {
    if (log.fatal()) alarm.abort();
  });
  run.journal.emit({
    type: 'progress',
    service: run.target.key,
    stage: 'traffic',
    note: `baking for ${bakeSeconds} s under the log watch`,
  });
  try {
    await pause({ ...run, signal: AbortSignal.any([run.signal, alarm.signal]) }, bakeSeconds * 1000);
  } catch (error) {
    if (!alarm.signal.aborted) throw error;
  } finally {
    deaf();
  }
  run.signal.throwIfAborted();
  refuseFatal(run, revision, log);
}
