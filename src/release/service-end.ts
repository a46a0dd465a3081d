import type { ExitReason } from '../errors.ts';
import { verifiedEdit } from '../plan/edits.ts';
import { type Diagnosis, diagnose, failedStage, problemOf, reasonOf } from './diagnose.ts';
import { stagesOf } from './events.ts';
import { awaitUnanswered, writeGuarded } from './guarded-write.ts';
import type { RevisionLog } from './revision-log.ts';
import { type ServiceRun, typed } from './run.ts';
import type { NamedPlan } from './stages/candidate.ts';
import { observeTraffic, restore } from './stages/restore.ts';

const restoreWithinMs = 90_000;

/**
 * A service whose release failed: the former traffic is restored and proven, meanwhile the late log lines are
 * gathered for the diagnosis. After Ctrl-C the same happens under a deadline of its own.
 */
export async function recover(
  run: ServiceRun,
  plan: NamedPlan | null,
  log: RevisionLog | undefined,
  error: unknown,
): Promise<void> {
  const own: ServiceRun = {
    ...run,
    signal: AbortSignal.timeout(restoreWithinMs),
    // A ledger that can no longer be written (a full disk) must not keep the traffic from going back.
    journal: { ...run.journal, flush: () => run.journal.flush().catch(() => undefined) },
  };
  const failed = failedStage(run.journal.state.services.get(run.target.key));
  const reason = run.signal.aborted ? reasonOf(run.signal.reason) : reasonOf(error, failed);
  const [restored] = await Promise.all([
    plan ? tryRestore(own, plan) : ({ kind: 'nothing-written' } as const),
    log?.settle({ quietMs: 300, withinMs: 3_000 }),
  ]);
  if (plan && log) reportStartup(run, plan, log);
  const diagnosis = diagnose(
    error,
    run.journal.state.services.get(run.target.key),
    (ids) => log?.linesOf(ids) ?? [],
    { command: run.command, stages: stagesOf[run.journal.state.started?.runbook ?? 'deploy'] },
  );
  end(run, conclude(run, reason, restored, diagnosis));
}

type Restoration =
  | { kind: 'nothing-written' }
  | { kind: 'nothing-served' }
  | { kind: 'restored' }
  | { kind: 'not-restored'; error: unknown };

async function tryRestore(run: ServiceRun, plan: NamedPlan): Promise<Restoration> {
  try {
    if (!(await awaitUnanswered(run))) return { kind: 'nothing-written' };
    const kind = await run.journal.stage(run.target.key, 'restore', () => restore(run, plan));
    return { kind };
  } catch (error) {
    await observeTraffic(run).catch(() => undefined);
    return { kind: 'not-restored', error };
  }
}

type End = {
  outcome: 'deployed' | 'unchanged' | 'checked' | 'failed' | 'not-started';
  reason: ExitReason;
  rolledBack: boolean;
  diagnosis: Diagnosis | null;
};

function conclude(run: ServiceRun, reason: ExitReason, restored: Restoration, diagnosis: Diagnosis): End {
  const end = { outcome: 'failed' as const, rolledBack: restored.kind === 'restored' };
  if (restored.kind !== 'not-restored') return { ...end, reason, diagnosis };
  // The failure's own code no longer says the most important thing: what serves now is not what should.
  const { what, next = [typed(run, 'status')] } = problemOf(restored.error);
  return {
    ...end,
    reason: reasonOf(restored.error) === 'conflict' ? 'conflict' : 'unknown',
    diagnosis: {
      ...diagnosis,
      notDone: [...diagnosis.notDone, `the former traffic was not restored: ${what}`],
      next: [...new Set([...next, ...diagnosis.next])],
    },
  };
}

export function end(run: ServiceRun, { outcome, reason, rolledBack, diagnosis }: End): void {
  run.journal.emit({
    type: 'service.finished',
    service: run.target.key,
    outcome,
    reason,
    rolledBack,
    diagnosis,
  });
}

/**
 * The last write of a success: from now on any machine sees which revision has a passed verdict; null: what serves
 * has none.
 */
export async function markVerified(run: ServiceRun, revision: string | null): Promise<void> {
  const what = { service: run.target.key, verified: revision ?? '' };
  const { live } = await writeGuarded(run, {
    edit: () => verifiedEdit(run.journal.release, revision),
    intent: (etag) => ({ type: 'mark.intended', ...what, etag }),
  });
  run.journal.emit({ type: 'mark.observed', ...what, etag: live.etag, generation: live.generation });
}

/** The profile as the log tells it by now. */
export function reportStartup(run: ServiceRun, plan: NamedPlan, log: RevisionLog): void {
  const profile = log.reader.profile(plan.revision);
  if (!profile || (plan.action === 'rollback' && !log.startTold())) return;
  const decidedBy = run.journal.state.services.get(run.target.key)?.stages.startup?.note ?? '';
  run.journal.emit({ type: 'startup.finished', service: run.target.key, profile, decidedBy });
}
