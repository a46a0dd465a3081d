import type { LiveService } from '../../cloud/ports/index.ts';
import { rollbackEdit, warmEdit } from '../../plan/edits.ts';
import type { Hold } from '../../plan/hold.ts';
import { rollbackTag } from '../../plan/marks.ts';
import type { Written } from '../guarded-write.ts';
import type { StageResult } from '../journal.ts';
import type { ServiceRun } from '../run.ts';
import { type NamedPlan, reportCandidate } from './candidate.ts';
import { placeTraffic, proveServing } from './traffic.ts';

/** Gives the revision of a rollback a URL of its own at 0 %. */
export async function warm(run: ServiceRun, plan: NamedPlan): Promise<StageResult<Written>> {
  const { live } = await placeTraffic(run, {
    purpose: 'warm',
    serviceWide: [],
    everServed: true,
    edit: (fresh) => warmEdit(fresh, plan, run.journal.release),
  });
  reportCandidate(run, plan, live);
  return { value: { operation: null, live }, note: `${plan.revision}, tag ${rollbackTag}, 0 %` };
}

/** All the traffic to the revision in one write, the hold with it; then it must be the actual one, and answer. */
export async function shift(run: ServiceRun, plan: NamedPlan, hold: Hold): Promise<StageResult<LiveService>> {
  const { revision } = plan;
  const { live } = await placeTraffic(run, {
    purpose: 'rollback',
    serviceWide: [],
    everServed: true,
    edit: (fresh) => rollbackEdit(fresh, plan, { release: run.journal.release, hold }),
  });
  run.journal.emit({ type: 'hold.placed', service: run.target.key, hold });
  const answers = await proveServing(run, live, revision);
  return { value: live, note: `${revision} 100 %, ${answers} answers in a row` };
}
