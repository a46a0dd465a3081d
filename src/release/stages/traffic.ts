import type { LiveService, ServiceEdit } from '../../cloud/ports/index.ts';
import { trafficEdit } from '../../plan/edits.ts';
import type { Change, PlannedTraffic } from '../../plan/plan.ts';
import { describeTraffic, sameTraffic } from '../../plan/traffic.ts';
import type { DurableEvent, RolloutStep } from '../events.ts';
import { refuseForeignChange, writeGuarded } from '../guarded-write.ts';
import type { StageResult } from '../journal.ts';
import { pause, until } from '../pause.ts';
import { type Expected, proveAnswers } from '../prove-answers.ts';
import { type Door, doorTo } from '../requests.ts';
import type { RevisionLog } from '../revision-log.ts';
import { call, type ServiceRun, StageFailure, typed } from '../run.ts';
import { candidateUrl, type NamedPlan } from './candidate.ts';

/** The rollout's steps: of each one write, then proofs that it took effect, then a while under the log watch. */
export async function moveTraffic(
  run: ServiceRun,
  plan: NamedPlan,
  log: RevisionLog,
): Promise<StageResult<LiveService>> {
  // A first deploy has nothing to share the traffic with.
  const percents = plan.first ? [] : run.target.rollout.steps.filter((percent) => percent < 100);
  const of = percents.length + 1;
  for (const [index, percent] of percents.entries()) {
    await takeStep(run, plan, log, { number: index + 1, of, percent });
  }
  const { live, answers } = await takeStep(run, plan, log, { number: of, of, percent: 100 });
  const path = percents.map((percent) => `${percent} %, `).join('');
  return { value: live, note: `${plan.revision} ${path}100 %, ${answers} answers in a row` };
}

async function takeStep(
  run: ServiceRun,
  plan: NamedPlan,
  log: RevisionLog,
  step: RolloutStep,
): Promise<{ live: LiveService; answers: number }> {
  const { revision } = plan;
  const { percent } = step;
  refuseFatal(run, revision, log);
  const { live } = await placeTraffic(run, {
    purpose: 'migrate',
    serviceWide: percent === 100 ? plan.serviceWide : [],
    step,
    everServed: true,
    edit: (fresh) => trafficEdit(fresh, plan, { release: run.journal.release, revision, percent }),
  });
  return underWatch(run, revision, log, async (watched) => {
    const answers = await proveStep(watched, plan, live, percent);
    await bake(watched, step);
    return { live, answers };
  });
}

/** Below 100 %: every answer from a revision of the split, one at least from the candidate, and it alone on its tag. */
async function proveStep(
  run: ServiceRun,
  plan: NamedPlan,
  live: LiveService,
  percent: number,
): Promise<number> {
  const { revision } = plan;
  if (percent === 100) return proveServing(run, live, revision);
  const among = revisionsOf(live.actualTraffic);
  const answers = await proveServing(run, live, { among, including: { revision, percent } });
  const url = candidateUrl(plan, live);
  if (url !== undefined) await prove(run, doorTo(run, live, url), live, revision);
  return answers;
}

/** Throws unless the service's URL is answered by whom it should; gives the answers in a row. */
export function proveServing(
  run: ServiceRun,
  live: LiveService,
  expected: string | Expected,
): Promise<number> {
  return prove(run, doorTo(run, live, publicUrl(run, live)), live, expected);
}

async function prove(
  run: ServiceRun,
  door: Door,
  live: LiveService,
  expected: string | Expected,
): Promise<number> {
  const proof = await proveAnswers(run, door, live, expected);
  if (proof.proven) return proof.answers;
  const revision = typeof expected === 'string' ? expected : expected.including?.revision;
  throw new StageFailure('traffic', {
    what: `The traffic of ${run.target.ref.service} was moved, but ${revision} is not proven to answer at ${door.url}.`,
    why: proof.why,
    next: [typed(run, 'status')],
  });
}

/** The environment's own URL, or the one Cloud Run gives. The local cloud has no custom domains. */
export function publicUrl(run: ServiceRun, live: LiveService): string {
  return run.cloud.kind === 'google' && run.target.url ? run.target.url : live.uri;
}

type Purpose = Extract<DurableEvent, { type: 'traffic.intended' }>['purpose'];

type TrafficWrite = {
  purpose: Purpose;
  serviceWide: Change[];
  step?: RolloutStep;
  /** False when the candidate never got ready. */
  everServed: boolean;
  edit: (fresh: LiveService | undefined) => ServiceEdit & { traffic: PlannedTraffic[] };
};

/** Writes a traffic, its intent first, and waits until it is the actual one. */
export async function placeTraffic(
  run: ServiceRun,
  { purpose, serviceWide, step, everServed, edit }: TrafficWrite,
): Promise<{ live: LiveService; desired: PlannedTraffic[] }> {
  let desired: PlannedTraffic[] = [];
  const what = { service: run.target.key, purpose, ...(step ? { step } : {}) };
  const { live: written } = await writeGuarded(run, {
    edit: (fresh) => {
      const made = edit(fresh);
      desired = made.traffic;
      return made;
    },
    intent: (etag) => ({
      type: 'traffic.intended',
      ...what,
      traffic: desired,
      serviceWide,
      etag,
    }),
  });
  const { live, settled } = await awaitTraffic(run, written, { desired, everServed });
  run.journal.emit({
    type: 'traffic.observed',
    ...what,
    actual: live.actualTraffic,
    settled,
    etag: live.etag,
    generation: live.generation,
  });
  if (settled) return { live, desired };
  throw new StageFailure('traffic', {
    what: `The traffic of ${run.target.ref.service} did not become what was asked for within ${run.target.rollout.trafficDeadlineSeconds} s.`,
    why: `Desired: ${describeTraffic(desired)}. Actual: ${describeTraffic(live.actualTraffic)}.`,
    next: [typed(run, 'status')],
  });
}

/**
 * Desired is not actual: waits until Cloud Run reports what was asked for. A candidate that never served cannot
 * be in the traffic, however long Cloud Run still works on it; its tag is routed only when it is ready.
 */
async function awaitTraffic(
  run: ServiceRun,
  written: LiveService,
  { desired, everServed }: { desired: PlannedTraffic[]; everServed: boolean },
): Promise<{ live: LiveService; settled: boolean }> {
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
      (everServed
        ? routed(live) && sameTraffic(desired, live.actualTraffic, live.latestReadyRevision)
        : sameTraffic(weighted(desired), weighted(live.actualTraffic), live.latestReadyRevision)),
    { everyMs: 200, withinMs: run.target.rollout.trafficDeadlineSeconds * 1000 },
  );
  return { live: value ?? written, settled: met };
}

const weighted = <T extends PlannedTraffic>(traffic: readonly T[]): T[] =>
  traffic.filter(({ percent }) => percent > 0);

export function revisionsOf(traffic: readonly PlannedTraffic[]): string[] {
  return [...new Set(weighted(traffic).map(({ revision }) => revision))];
}

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

/** A fatal line ends the work at once and is what it failed of. */
async function underWatch<T>(
  run: ServiceRun,
  revision: string,
  log: RevisionLog,
  work: (watched: ServiceRun) => Promise<T>,
): Promise<T> {
  const alarm = new AbortController();
  const deaf = log.listen(() => {
    if (log.fatal()) alarm.abort();
  });
  try {
    const done = await work({ ...run, signal: AbortSignal.any([run.signal, alarm.signal]) });
    refuseFatal(run, revision, log);
    return done;
  } catch (error) {
    if (!run.signal.aborted) refuseFatal(run, revision, log);
    throw error;
  } finally {
    deaf();
  }
}

async function bake(run: ServiceRun, { number, of, percent }: RolloutStep): Promise<void> {
  const { bakeSeconds } = run.target.rollout;
  const step = of > 1 ? `step ${number} of ${of}, ${percent} %: ` : '';
  run.journal.emit({
    type: 'progress',
    service: run.target.key,
    stage: 'traffic',
    note: `${step}baking for ${bakeSeconds} s under the log watch`,
  });
  await pause(run, bakeSeconds * 1000);
}
