import type { LiveRevision, LiveService } from '../../cloud/ports/index.ts';
import { makePlan, type PlanInputs } from '../../plan/make-plan.ts';
import { marks, readMarks } from '../../plan/marks.ts';
import type { Plan } from '../../plan/plan.ts';
import { namedTraffic } from '../../plan/traffic.ts';
import { call, type ServiceRun } from '../run.ts';
import { type PackedSource, packSource } from '../source.ts';

/** The cloud as it is, the source as it is, and the plan that follows from both. */
export type Observed = {
  live: LiveService | undefined;
  revisions: LiveRevision[];
  source: PackedSource | null;
  inputs: PlanInputs;
  plan: Plan;
};

export type PlanOptions = { revisionSuffix: string; takeOverTraffic: boolean };

const revisionsLookedAt = 50;

export async function observe(
  run: Pick<ServiceRun, 'target' | 'cloud' | 'signal' | 'command'>,
  options: PlanOptions,
): Promise<Observed> {
  const { target, cloud } = run;
  const reading = cloud.run.readService(target.ref, call(run));
  const [live, source] = await Promise.all([
    reading,
    target.build.image ? null : packSource(target.sourceDir, run.signal),
  ]);
  const revisions = live ? await readRevisions(run, live) : [];
  const inputs: PlanInputs = {
    target,
    live,
    revisions,
    source: source?.hash ?? null,
    image: knownImage(target.build, source?.hash, revisions),
    takeOverTraffic: options.takeOverTraffic,
    revisionSuffix: options.revisionSuffix,
    command: run.command,
  };
  return { live, revisions, source, inputs, plan: makePlan(inputs) };
}

/** The newest revisions, and those that serve or are asked for however old they are: they must never seem not to exist. */
export async function readRevisions(
  run: Pick<ServiceRun, 'target' | 'cloud' | 'signal'>,
  live: LiveService,
  asked: readonly string[] = [],
): Promise<LiveRevision[]> {
  const { ref } = run.target;
  const newest = await run.cloud.run.listRevisions(ref, revisionsLookedAt, call(run));
  const listed = new Set(newest.map(({ name }) => name));
  const former = readMarks(live.annotations).formerTraffic ?? [];
  const named = [...namedTraffic(live), ...former].map(({ revision }) => revision);
  const missing = [...new Set([...named, ...asked])].filter((name) => name !== 'LATEST' && !listed.has(name));
  const older = await Promise.all(missing.map((name) => run.cloud.run.readRevision(ref, name, call(run))));
  return [...newest, ...older.filter((revision) => revision !== undefined)];
}

/** The plan once the build has told its digest: it may turn out that nothing changes after all. */
export function completePlan({ inputs }: Observed, image: string): Plan {
  return makePlan({ ...inputs, image: { ...inputs.image, reference: image } });
}

/** Same source, same digest: the newest revision that was built from this very source says which. */
function knownImage(
  build: { image?: string; repository: string },
  source: string | undefined,
  revisions: LiveRevision[],
): { from: 'build' | 'earlier-build' | 'given'; reference: string | null } {
  if (build.image) return { from: 'given', reference: build.image };
  const earlier = revisions.find(
    (revision) =>
      revision.annotations[marks.source] === source &&
      // Whoever changes the image with another tool takes the annotations along.
      revision.annotations[marks.built] === revision.template.image &&
      revision.template.image.startsWith(`${build.repository}@sha256:`),
  );
  return earlier
    ? { from: 'earlier-build', reference: earlier.template.image }
    : { from: 'build', reference: null };
}
