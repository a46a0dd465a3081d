import type { LiveService } from '../../cloud/ports/index.ts';
import { SluiceError } from '../../errors.ts';
import { closedEdit, restoreEdit } from '../../plan/edits.ts';
import { describeTraffic } from '../../plan/traffic.ts';
import { writeGuarded } from '../guarded-write.ts';
import type { StageResult } from '../journal.ts';
import { until } from '../pause.ts';
import { proveAnswers } from '../prove-answers.ts';
import { doorTo } from '../requests.ts';
import { call, type ServiceRun, typed } from '../run.ts';
import { type NamedPlan, reportCandidate } from './candidate.ts';
import { placeTraffic, publicUrl, revisionsOf } from './traffic.ts';

/** How long somebody else's change is given to take effect before it is told. */
const quietWithinMs = 5_000;

/** `restored`: the former traffic is proven. `nothing-served`: there was none; the service stays closed. */
export type Restored = 'restored' | 'nothing-served';

/**
 * Puts the former traffic back and verifies it. Somebody else's newer traffic is not overwritten (conflict);
 * what cannot be proven is an unknown outcome.
 */
export async function restore(run: ServiceRun, plan: NamedPlan): Promise<StageResult<Restored>> {
  if (plan.first) {
    await closeAgain(run, plan);
    return { value: 'nothing-served', note: 'nothing had served before: the service stays closed' };
  }
  const made = await run.cloud.run.readRevision(run.target.ref, plan.revision, call(run));
  const ready = made?.ready === 'yes';
  // A rollback's revision is no candidate that anybody wants to look at.
  const keepTag = ready && plan.action !== 'rollback';
  const { live, desired } = await placeTraffic(run, {
    purpose: 'restore',
    serviceWide: plan.serviceWide,
    everServed: ready,
    edit: (fresh) => restoreEdit(fresh, plan, { release: run.journal.release, keepTag }),
  });
  reportCandidate(run, plan, live);
  await proveFormer(run, live, revisionsOf(plan.formerTraffic));
  return { value: 'restored', note: describeTraffic(desired) };
}

async function closeAgain(run: ServiceRun, plan: NamedPlan): Promise<void> {
  await writeGuarded(run, {
    edit: () => ({ ...closedEdit(plan, run.journal.release), public: false }),
    intent: (etag) => ({
      type: 'traffic.intended',
      service: run.target.key,
      purpose: 'restore',
      traffic: [],
      serviceWide: plan.serviceWide,
      etag,
    }),
  });
  await observeTraffic(run, true);
}

/** Tells who serves now; `settled` when it is known to be what was asked for. */
export async function observeTraffic(run: ServiceRun, settled = false): Promise<void> {
  const { value: live } = await until(
    run,
    () => run.cloud.run.readService(run.target.ref, call(run)),
    (found) => settled || !found?.reconciling,
    { everyMs: 200, withinMs: quietWithinMs },
  );
  if (!live) return;
  run.journal.emit({
    type: 'traffic.observed',
    service: run.target.key,
    purpose: 'restore',
    actual: live.actualTraffic,
    settled,
    etag: live.etag,
    // Only what is known for our own may be gone on with.
    ...(settled ? { generation: live.generation } : {}),
  });
}

/** Of a split every answer must come from one of its revisions. */
async function proveFormer(run: ServiceRun, live: LiveService, among: string[]): Promise<void> {
  const proof = await proveAnswers(run, doorTo(run, live, publicUrl(run, live)), live, { among });
  if (proof.proven) return;
  throw new SluiceError('unknown', {
    what: `The traffic of ${run.target.ref.service} is back on ${among.join(', ')}, but that is not proven by its answers.`,
    why: proof.why,
    next: [typed(run, 'status')],
  });
}
