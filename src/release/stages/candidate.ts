import type { LiveService } from '../../cloud/ports/index.ts';
import { candidateEdit } from '../../plan/edits.ts';
import { candidateTag } from '../../plan/marks.ts';
import type { Plan } from '../../plan/plan.ts';
import { type Written, writeGuarded } from '../guarded-write.ts';
import type { StageResult } from '../journal.ts';
import type { ServiceRun } from '../run.ts';

export type NamedPlan = Plan & { revision: string };

export function named(plan: Plan): NamedPlan | null {
  return plan.revision === null ? null : { ...plan, revision: plan.revision };
}

export async function makeCandidate(
  run: ServiceRun,
  plan: NamedPlan,
  image: string,
): Promise<StageResult<Written>> {
  const candidate = await writeGuarded(run, {
    edit: (fresh) => candidateEdit(run.target, plan, fresh, { release: run.journal.release, image }),
    intent: (etag) => ({
      type: 'candidate.intended',
      service: run.target.key,
      revision: plan.revision,
      image,
      etag,
      tag: plan.tag,
      create: plan.action === 'create',
      formerTraffic: plan.formerTraffic,
    }),
  });
  reportCandidate(run, plan, candidate.live);
  const note = plan.first ? `${plan.revision}, closed` : `${plan.revision}, tag ${candidateTag}, 0 %`;
  return { value: candidate, note };
}

/** The candidate that a resumed release finds made. Its operation's name died with the process that made it. */
export function adoptCandidate(run: ServiceRun, plan: NamedPlan, live: LiveService): Written {
  reportCandidate(run, plan, live);
  return { operation: null, live };
}

/** Told after the write, and again when the URLs are known. */
export function reportCandidate(run: ServiceRun, plan: NamedPlan, live: LiveService): void {
  run.journal.emit({
    type: 'candidate.observed',
    service: run.target.key,
    revision: plan.revision,
    etag: live.etag,
    generation: live.generation,
    url: live.uri,
    candidateUrl: candidateUrl(plan, live) ?? '',
  });
}

/** The candidate's own URL: its tag's, or with nothing else serving the (closed) service's. */
export function candidateUrl(plan: NamedPlan, live: LiveService): string | undefined {
  if (plan.first) return live.uri || undefined;
  return live.actualTraffic.find(({ tag, revision }) => tag === plan.tag && revision === plan.revision)?.uri;
}
