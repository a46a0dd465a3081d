import { isTag } from './names.ts';
import type { TrafficTarget } from './schema.ts';
import { SpecError } from './spec-error.ts';
import { findRevision, latestReady, type Revision, type RoutedTarget, type Service } from './state.ts';

const latest = 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST';
const named = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';

/** The desired traffic of a service that names none. */
export const allToLatest: TrafficTarget[] = [{ type: latest, percent: 100 }];

export function checkTraffic(service: string, targets: readonly TrafficTarget[]): void {
  for (const [index, { type, revision, tag }] of targets.entries()) {
    const refuse = (field: string, problem: string): never => {
      throw new SpecError(['traffic', index, field], problem);
    };
    if (type === latest && revision) refuse('revision', 'must be empty when the type is LATEST.');
    if (type === named && !revision) refuse('revision', 'must be set when the type is REVISION.');
    if (!type) refuse('type', 'must be set.');
    if (tag && !isTag(service, tag)) {
      refuse(
        'tag',
        `'${tag}' must use only lowercase alphanumeric characters and dashes, begin with a letter, and not be longer than 46 characters together with the service's name.`,
      );
    }
  }
  const tags = targets.flatMap(({ tag }) => tag ?? []);
  const repeated = tags.find((tag, index) => tags.indexOf(tag) !== index);
  if (repeated) throw new SpecError(['traffic'], `the tag '${repeated}' is used more than once.`);
  const sum = targets.reduce((total, { percent = 0 }) => total + percent, 0);
  if (sum !== 100) {
    throw new SpecError(['traffic'], `Traffic percentages must sum to 100, but the sum is ${sum}.`);
  }
}

export type Resolution =
  | { state: 'routable'; targets: RoutedTarget[] }
  | { state: 'missing'; revision: string }
  /** A target's revision has failed. */
  | { state: 'unready'; revision: Revision }
  /** LATEST, and no revision has been ready yet. */
  | { state: 'nothing-ready' };

/** The desired traffic in revisions that can serve now. */
export function resolveTraffic(service: Service): Resolution {
  const targets: RoutedTarget[] = [];
  for (const { type = latest, revision: id = '', percent = 0, tag } of service.spec.traffic ?? allToLatest) {
    const revision = type === latest ? latestReady(service) : findRevision(service, id);
    if (!revision) return type === latest ? { state: 'nothing-ready' } : { state: 'missing', revision: id };
    if (revision.outcome.state !== 'ready') return { state: 'unready', revision };
    targets.push({ type, revision: revision.id, percent, ...(tag && { tag }) });
  }
  return { state: 'routable', targets };
}

/** Percents by revision, without those that get none. */
export function splitOf(targets: readonly RoutedTarget[]): { revision: string; percent: number }[] {
  const percents = new Map<string, number>();
  for (const { revision, percent } of targets) {
    if (percent > 0) percents.set(revision, (percents.get(revision) ?? 0) + percent);
  }
  return [...percents].map(([revision, percent]) => ({ revision, percent }));
}

export function tagsOf(targets: readonly RoutedTarget[]): { tag: string; revision: string }[] {
  return targets.flatMap(({ tag, revision }) => (tag ? [{ tag, revision }] : []));
}
