import type { Problem } from '../errors.ts';
import { judgeDeploy } from '../gate/verdict-of.ts';
import type { Hold } from '../plan/hold.ts';
import type { Stage } from './events.ts';
import { openRevisionLog, type RevisionLog } from './revision-log.ts';
import { type ServiceRun, StageFailure, typed } from './run.ts';
import { conductRelease, type RunbookDeps, type RunbookRequest } from './runbook.ts';
import { end, markVerified, recover, reportStartup } from './service-end.ts';
import type { NamedPlan } from './stages/candidate.ts';
import { runStageChecks } from './stages/checks.ts';
import { type Chosen, choose, type RollbackWish } from './stages/choose.ts';
import { examine, type Ready } from './stages/preflight.ts';
import { shift, warm } from './stages/shift.ts';
import { awaitStartup } from './stages/startup.ts';
import { refuseFatal } from './stages/traffic.ts';
import { decideRestart } from './startup-decision.ts';
import type { ReleaseState } from './state.ts';

export type RollbackRequest = Omit<RunbookRequest, 'runbook' | 'started'> & RollbackWish & { reason: string };

/** The rollback runbook: back to a revision that has served, woken and checked first, and held there. */
export function rollback(request: RollbackRequest, deps: RunbookDeps): Promise<ReleaseState> {
  const { reason } = request;
  const targets = request.targets.map((target) => ({
    ...target,
    // What else a checklist asks is about a new revision: its startup, its log, its tests.
    checklist: request.now ? [] : target.checklist.filter(({ kind }) => kind === 'http'),
  }));
  const checklists = new Map(targets.map(({ key, checklist }) => [key, checklist]));
  return conductRelease({ ...request, targets, runbook: 'rollback', started: { reason } }, deps, {
    work: (runs) => rollBackAll(runs, request, deps),
    judge: (state) => judgeDeploy(state, checklists),
  });
}

async function rollBackAll(runs: ServiceRun[], request: RollbackRequest, deps: RunbookDeps): Promise<void> {
  const disagreement = request.to === undefined ? disagreementOf : () => undefined;
  const looked = await examine(
    runs,
    (run) => choose(run, deps.ledger, request),
    async () => [],
  );
  if (looked.kind === 'ready') {
    const problem = disagreement(looked.ready);
    if (!problem) {
      await Promise.all(looked.ready.map(({ run, found }) => rollBackService(run, found, request, deps)));
      return;
    }
    for (const { run } of looked.ready) {
      run.journal.emit({ type: 'preflight.failed', service: run.target.key, problems: [problem] });
    }
  }
  const reason = looked.kind === 'refused' ? looked.reason : 'usage';
  for (const run of runs) end(run, { outcome: 'not-started', reason, rolledBack: false, diagnosis: null });
}

/** Several services go back together only when one release brought them all to where they are. */
function disagreementOf(ready: readonly Ready<Chosen>[]): (Problem & { next: string[] }) | undefined {
  const undone = new Set(ready.map(({ found }) => found.undoes));
  if (undone.size < 2) return undefined;
  return {
    what: 'The services do not come from one release, so which of them to roll back is not clear.',
    why: ready.map(({ run, found }) => `${run.target.key}: ${found.undoes ?? found.from}`).join(', '),
    next: ready.map(({ run, found }) =>
      typed(run, 'rollback', '--service', run.target.key, '--to', found.plan.revision ?? found.from),
    ),
  };
}

async function rollBackService(
  run: ServiceRun,
  chosen: Chosen,
  request: RollbackRequest,
  deps: RunbookDeps,
): Promise<void> {
  const { revision } = chosen.plan;
  run.seen.live = chosen.live;
  if (revision === null) {
    end(run, { outcome: 'unchanged', reason: 'done', rolledBack: false, diagnosis: null });
    return;
  }
  const plan: NamedPlan = { ...chosen.plan, revision };
  reportChoice(run, plan, chosen, request);
  const at = new Date(run.now()).toISOString();
  const hold = { release: deps.release, reason: request.reason, who: deps.actor.who, at };
  const log = request.now ? undefined : openRevisionLog(run, revision, { ranBefore: true });
  try {
    await (log ? goBack(run, plan, hold, log) : goBackNow(run, plan, hold));
    await markVerified(run, log || chosen.passed ? revision : null);
    end(run, { outcome: 'deployed', reason: 'done', rolledBack: false, diagnosis: null });
  } catch (error) {
    await recover(run, plan, log, withShortcut(run, revision, error));
  } finally {
    log?.close();
  }
}

async function goBack(run: ServiceRun, plan: NamedPlan, hold: Hold, log: RevisionLog): Promise<void> {
  const { journal, target } = run;
  const service = target.key;
  const warmed = await journal.stage(service, 'warm', () => warm(run, plan));
  const started = await journal.stage(service, 'startup', () =>
    awaitStartup(run, plan, warmed, log, (seen, spec, now) =>
      decideRestart(seen, spec, now, log.startTold()),
    ),
  );
  reportStartup(run, plan, log);
  await journal.stage(service, 'checks', () => runStageChecks(run, plan, started, log, 'candidate'));
  refuseFatal(run, plan.revision, log);
  const moved = await journal.stage(service, 'traffic', () => shift(run, plan, hold));
  await journal.stage(service, 'checklist', () => runStageChecks(run, plan, moved, log, 'post'));
  refuseFatal(run, plan.revision, log);
}

/** In an incident: one write moves the traffic, nothing is asked before. */
async function goBackNow(run: ServiceRun, plan: NamedPlan, hold: Hold): Promise<void> {
  const service = run.target.key;
  const skip = (stage: Stage): void =>
    run.journal.emit({
      type: 'stage.finished',
      service,
      stage,
      outcome: 'skipped',
      note: '--now',
      seconds: 0,
    });
  for (const stage of ['warm', 'startup', 'checks'] as const) skip(stage);
  await run.journal.stage(service, 'traffic', () => shift(run, plan, hold));
  skip('checklist');
}

const skippedWords = [
  'the warming',
  'its startup',
  'the checks on its own URL',
  "the checks on the service's URL",
];

function reportChoice(run: ServiceRun, plan: NamedPlan, chosen: Chosen, request: RollbackRequest): void {
  run.journal.emit({
    type: 'rollback.chosen',
    service: run.target.key,
    from: chosen.from,
    to: plan.revision,
    release: chosen.release,
    because: plan.because,
    skipped: request.now ? skippedWords : [],
    acceptedRisks: chosen.risks,
  });
}

/** What stands in the way of a careful rollback can be left out: at night that must not have to be looked up. */
function withShortcut(run: ServiceRun, revision: string, error: unknown): unknown {
  if (!(error instanceof StageFailure) || (error.reason !== 'startup' && error.reason !== 'checklist'))
    return error;
  const now = typed(run, 'rollback', '--to', revision, '--now');
  const { next = [], ...problem } = error.problem;
  const others = next.filter((line) => line !== run.command);
  return new StageFailure(
    error.reason,
    { ...problem, next: [...others, `${now}   # skips the warming and the checks`] },
    { cause: error, finding: error.finding },
  );
}
