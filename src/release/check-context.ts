import type { CheckContext } from '../checks/context.ts';
import { requestsLateSeconds } from '../checks/deadlines.ts';
import { requestLog } from '../checks/request-log.ts';
import { formerLog, type StageStart, stageLog } from '../checks/stage-log.ts';
import { serviceFilter } from '../cloud/log-filter.ts';
import type { CheckStage } from '../config/check-spec.ts';
import type { PlannedTraffic } from '../plan/plan.ts';
import type { RevisionProfile } from '../startup/profile.ts';
import type { Door } from './requests.ts';
import { type ServiceRun, typedSign } from './run.ts';
import { listSource } from './source.ts';
import { tokenReader } from './stages/token.ts';

/** What is under check, and where. */
export type CheckSubject = {
  stage: CheckStage;
  door: Door;
  revision: string;
  /** With its digest, as far as it is known. */
  image: string;
  /** What served before; null when that is not known. */
  formerTraffic: readonly PlannedTraffic[] | null;
  profile: RevisionProfile | null;
  log: StageStart;
};

export function contextOf(run: ServiceRun, subject: CheckSubject): CheckContext {
  const { target, cloud } = run;
  const queryOf = (revision: string) => ({
    project: target.ref.project,
    filter: serviceFilter(target.ref, { revision }),
  });
  return {
    service: target.key,
    stage: subject.stage,
    url: subject.door.url,
    revision: subject.revision,
    digest: digestIn(subject.image),
    headers: target.e2e.headers,
    ...(subject.door.idToken ? { idToken: subject.door.idToken } : {}),
    token: tokenReader(run),
    profile: subject.profile,
    startup: target.startup,
    log: stageLog(cloud.logs, queryOf(subject.revision), subject.log),
    former: formerOf(subject, (revisions) => formerLog(cloud.logs, revisions, queryOf)),
    answers: () => run.statements.signatures({ environment: target.environment, service: target.key }),
    signCommand: (item) => {
      const several = run.journal.state.services.size > 1;
      return typedSign(run, target.environment, item, several ? target.key : '');
    },
    now: () => new Date(run.now()),
    program: {
      ...programSetting(run, subject.revision),
      requests: requestLog(cloud.logs, queryOf(subject.revision), requestsLateSeconds[cloud.kind] * 1000),
    },
    signal: run.signal,
  };
}

/** What a program is told and finds, with or without a revision. */
export function programSetting({ target }: ServiceRun, revision: string): CheckContext['program'] {
  return {
    environment: target.environment,
    revision,
    e2eEnv: target.e2e.env,
    sourceDir: target.sourceDir,
    sourceFiles: () => listSource(target.sourceDir),
  };
}

export function digestIn(image: string): string {
  return image.split('@')[1] ?? '';
}

function formerOf(
  { revision, formerTraffic }: CheckSubject,
  open: (revisions: string[]) => CheckContext['former'],
): CheckContext['former'] {
  if (formerTraffic === null) return 'unknown';
  const served = formerTraffic.filter(({ percent }) => percent > 0).map((entry) => entry.revision);
  const before = [...new Set(served)].filter((name) => name !== revision);
  if (before.length > 0) return open(before);
  return served.length > 0 ? 'unknown' : 'none';
}
