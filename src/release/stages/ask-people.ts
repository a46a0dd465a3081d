import type { CheckResult } from '../../checks/result.ts';
import type { LiveRevision, LiveService } from '../../cloud/ports/index.ts';
import type { StageResult } from '../journal.ts';
import { doorTo } from '../requests.ts';
import type { ServiceRun } from '../run.ts';
import { fromNow, performChecks } from './checks.ts';
import { publicUrl } from './traffic.ts';

/** The manual checks alone, of a revision that serves and has passed the others. */
export async function askPeople(
  run: ServiceRun,
  live: LiveService,
  { name, template }: LiveRevision,
): Promise<StageResult<CheckResult[]>> {
  const questions = run.target.checklist.flatMap((spec) =>
    spec.kind === 'manual' ? [{ ...spec, stages: ['post' as const] }] : [],
  );
  return performChecks(run, questions, {
    stage: 'post',
    door: doorTo(run, live, publicUrl(run, live)),
    revision: name,
    image: template.image,
    formerTraffic: null,
    profile: null,
    log: fromNow(run),
  });
}
