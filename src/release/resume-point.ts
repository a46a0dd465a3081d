import type { LiveService } from '../cloud/ports/index.ts';
import { readMarks } from '../plan/marks.ts';
import { describeTraffic, sameTraffic, shares } from '../plan/traffic.ts';
import { failedStage } from './diagnose.ts';
import type { Stage } from './events.ts';
import { type NamedPlan, named } from './stages/candidate.ts';
import type { ServiceState } from './state.ts';

/** How far a release came with a service before its process died, as its record and the service itself tell. */
export type ResumePoint =
  | { kind: 'ended' }
  /** Nothing was written, and there is no image either. */
  | { kind: 'nothing' }
  | { kind: 'built'; plan: NamedPlan; image: string }
  | { kind: 'candidate'; plan: NamedPlan; image: string }
  /** The candidate has passed, and `percent` of the traffic is on it. */
  | { kind: 'moved'; plan: NamedPlan; image: string; percent: number }
  | { kind: 'verified' }
  /** It had failed already: the former traffic is what should serve. */
  | { kind: 'failed'; plan: NamedPlan; stage: Stage | null; why: string }
  /** Somebody else has written since, or the record does not tell whether. */
  | { kind: 'foreign'; why: string };

/** Never assumes: the record says what was meant, the live service whether it happened. Pure. */
export function resumePoint(
  state: ServiceState | undefined,
  release: string,
  live: LiveService | undefined,
): ResumePoint {
  if (state?.finished) return { kind: 'ended' };
  const plan = state?.plan && named(state.plan);
  if (!state || !plan) return { kind: 'nothing' };
  const stage = failedStage(state) ?? null;
  const image = state.candidateIntended?.image ?? state.build?.image ?? '';
  const unwritten: ResumePoint = stage || !image ? { kind: 'nothing' } : { kind: 'built', plan, image };
  if (!state.candidateIntended) return unwritten;

  const writer = lastWriter(state, release, live);
  if (writer !== 'release') return { kind: 'foreign', why: writer };
  const marks = readMarks(live?.annotations ?? {});
  if (!live || marks.release !== release) return unwritten;
  if (marks.state === 'verified') return { kind: 'verified' };
  if (stage || marks.state === 'failed' || intendedToRestore(state)) {
    const note = stage ? state.stages[stage]?.note : '';
    return { kind: 'failed', plan, stage, why: note ?? '' };
  }
  if (marks.state === 'candidate') return { kind: 'candidate', plan, image };
  const percent = shares(live.traffic, live.latestReadyRevision).get(plan.revision) ?? 0;
  return { kind: 'moved', plan, image, percent };
}

/** `release` when nobody has written after it, or why that is not so. */
function lastWriter(state: ServiceState, release: string, live: LiveService | undefined): string {
  if (state.generation === null) return 'the record does not tell what this release saw last';
  const seen = BigInt(state.generation || 0);
  const now = BigInt(live?.generation || 0);
  if (now === seen) return 'release';
  if (live && now === seen + 1n && isOpenIntent(state, release, live)) return 'release';
  return live ? `the service now desires: ${describeTraffic(live.traffic)}` : 'the service has been deleted';
}

/** Is the service as the last write, whose outcome nobody recorded, would have made it? */
function isOpenIntent({ openIntent }: ServiceState, release: string, live: LiveService): boolean {
  const marks = readMarks(live.annotations);
  if (!openIntent || marks.release !== release) return false;
  switch (openIntent.type) {
    case 'candidate.intended':
      return marks.state === 'candidate' && live.templateRevision === openIntent.revision;
    // Of an unpin, which is typed again.
    case 'hold.intended':
      return false;
    case 'mark.intended':
      return marks.state === 'verified' && marks.verified === openIntent.verified;
    case 'traffic.intended': {
      const meant = openIntent.purpose === 'restore' ? 'failed' : 'migrating';
      const { traffic } = openIntent;
      const same = traffic.length === 0 || sameTraffic(traffic, live.traffic, live.latestReadyRevision);
      return marks.state === meant && same;
    }
  }
}

function intendedToRestore({ openIntent, stages }: ServiceState): boolean {
  return (
    stages.restore !== undefined ||
    (openIntent?.type === 'traffic.intended' && openIntent.purpose === 'restore')
  );
}
