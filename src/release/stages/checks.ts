import { type CheckResult, stops, summariseChecks } from '../../checks/result.ts';
import { runChecks } from '../../checks/run.ts';
import type { StageStart } from '../../checks/stage-log.ts';
import type { LiveService } from '../../cloud/ports/index.ts';
import type { CheckSpec, CheckStage } from '../../config/check-spec.ts';
import { type CheckSubject, contextOf } from '../check-context.ts';
import type { StageResult } from '../journal.ts';
import { proveAnswers } from '../prove-answers.ts';
import { type Door, doorTo } from '../requests.ts';
import type { RevisionLog } from '../revision-log.ts';
import { type ServiceRun, StageFailure, typed } from '../run.ts';
import { candidateUrl, type NamedPlan } from './candidate.ts';
import { publicUrl } from './traffic.ts';

/**
 * The checks of one stage: on the candidate's own URL, with proof of who answers there, or on the service's
 * after the traffic has moved (whose answers the traffic stage has just proven).
 */
export async function runStageChecks(
  run: ServiceRun,
  plan: NamedPlan,
  live: LiveService,
  log: RevisionLog,
  stage: CheckStage,
): Promise<StageResult<CheckResult[]>> {
  const candidate = stage === 'candidate';
  const door = doorTo(run, live, candidate ? (candidateUrl(plan, live) ?? live.uri) : publicUrl(run, live));
  if (candidate) await proveRevision(run, door, live, plan.revision);
  return performChecks(run, run.target.checklist, {
    stage,
    door,
    revision: plan.revision,
    image: plan.image.reference ?? '',
    formerTraffic: plan.formerTraffic,
    profile: log.reader.profile(plan.revision) ?? null,
    log: candidate ? { since: new Date(log.openedAt), age: log.age } : sinceMoved(log),
  });
}

/** What the log held since the revision's birth counts, too; the moment is told by the clock that does not jump. */
function sinceMoved({ openedAt, age }: RevisionLog): StageStart {
  const aged = age();
  return { since: new Date(openedAt + aged), age: () => age() - aged, historyFrom: new Date(openedAt) };
}

/** A stage whose log is watched from now on. */
export function fromNow(run: Pick<ServiceRun, 'now'>): StageStart {
  const began = performance.now();
  return { since: new Date(run.now()), age: () => performance.now() - began };
}

/** Runs what is due of a checklist. Throws when a check that counts has not passed; one that waits for a person may. */
export async function performChecks(
  run: ServiceRun,
  checklist: readonly CheckSpec[],
  subject: CheckSubject,
): Promise<StageResult<CheckResult[]>> {
  const context = contextOf(run, subject);
  const results = await run.track(
    runChecks(checklist, context, (event) =>
      run.journal.emit(event.type === 'check.finished' ? { ...event, revision: subject.revision } : event),
    ),
  );
  run.signal.throwIfAborted();
  const broken = results.filter(stops);
  if (broken.length > 0) throw checkFailure(run, subject.stage, broken);
  return { value: results, note: summariseChecks(results) };
}

export async function proveRevision(
  run: ServiceRun,
  door: Door,
  live: LiveService,
  revision: string,
): Promise<void> {
  const proof = await proveAnswers(run, door, live, revision);
  if (proof.proven) return;
  throw new StageFailure('checklist', {
    what: `Nothing shows that ${revision} is what answers at ${door.url}.`,
    why: proof.why,
    next: ['set `rollout.identity` in sluice.yaml to a path whose JSON carries K_REVISION', run.command],
  });
}

function checkFailure(run: ServiceRun, stage: CheckStage, broken: CheckResult[]): StageFailure {
  const [first] = broken;
  const ids = broken.map(({ id }) => id).join(', ');
  const which = broken.length === 1 ? `Check ${ids}` : `Checks ${ids}`;
  const where = stage === 'candidate' ? 'on the candidate' : 'on the service';
  return new StageFailure('checklist', {
    what: `${which} of ${run.target.key} did not pass ${where}: ${first?.reason}`,
    // The first one's reason has just been told.
    ...(broken.length > 1
      ? {
          why: broken
            .slice(1)
            .map(({ id, status, reason }) => `${id} ${status}: ${reason}`)
            .join('\n'),
        }
      : {}),
    next: [typed(run, 'logs'), run.command],
  });
}
