import type { CheckContext } from '../../checks/context.ts';
import { type CheckResult, stops } from '../../checks/result.ts';
import { runChecks } from '../../checks/run.ts';
import { stageLog } from '../../checks/stage-log.ts';
import { serviceFilter } from '../../cloud/log-filter.ts';
import type { LiveService } from '../../cloud/ports/index.ts';
import type { CheckStage } from '../../config/check-spec.ts';
import type { StageResult } from '../journal.ts';
import { proveAnswers } from '../prove-answers.ts';
import { type Door, doorTo } from '../requests.ts';
import type { RevisionLog } from '../revision-log.ts';
import { type ServiceRun, StageFailure, typed } from '../run.ts';
import { candidateUrl, type NamedPlan } from './candidate.ts';
import { tokenReader } from './token.ts';
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
  if (candidate) await proveCandidate(run, door, live, plan.revision);
  // The candidate's log counts from its birth, the checklist's from the moved traffic on.
  const since = new Date(candidate ? log.openedAt : run.now());
  const context = contextOf(run, plan, door, log, stage, since);
  const results = await run.track(
    runChecks(run.target.checklist, context, (event) =>
      run.journal.emit(event.type === 'check.finished' ? { ...event, revision: plan.revision } : event),
    ),
  );
  run.signal.throwIfAborted();
  const broken = results.filter(stops);
  if (broken.length > 0) throw checkFailure(run, stage, broken);
  return { value: results, note: summarise(results) };
}

function contextOf(
  run: ServiceRun,
  plan: NamedPlan,
  door: Door,
  log: RevisionLog,
  stage: CheckStage,
  since: Date,
): CheckContext {
  const { target } = run;
  const filter = serviceFilter(target.ref, { revision: plan.revision });
  return {
    service: target.key,
    stage,
    url: door.url,
    headers: target.e2e.headers,
    ...(door.idToken ? { idToken: door.idToken } : {}),
    token: tokenReader(run),
    profile: log.reader.profile(plan.revision) ?? null,
    startup: target.startup,
    log: stageLog(run.cloud.logs, { project: target.ref.project, filter }, since, () => new Date(run.now())),
    signal: run.signal,
  };
}

async function proveCandidate(
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
  const which = broken.length === 1 ? `Check ${first?.id}` : `${broken.length} checks`;
  const where = stage === 'candidate' ? 'on the candidate' : 'after the traffic had moved';
  return new StageFailure('checklist', {
    what: `${which} of ${run.target.key} did not pass ${where}: ${first?.reason}`,
    // Of one check the reason has just been told.
    ...(broken.length > 1
      ? { why: broken.map(({ id, status, reason }) => `${id} ${status}: ${reason}`).join('\n') }
      : {}),
    next: [typed(run, 'logs'), run.command],
  });
}

function summarise(results: CheckResult[]): string {
  if (results.length === 0) return 'no checks in this stage';
  const passed = results.filter(({ status }) => status === 'passed').length;
  const others = results
    .filter(({ status }) => status !== 'passed')
    .map(({ id, status }) => `${id} ${status}`);
  return [`${passed} of ${results.length} passed`, ...others].join(', ');
}
