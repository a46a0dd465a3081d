import type { Condition, Revision, Service } from './state.ts';
import type { Resolution } from './traffic.ts';

type Draft = Omit<Condition, 'since'>;

/** A condition keeps its time while its state stays. */
function merge(former: readonly Condition[], drafts: readonly Draft[], now: Date): Condition[] {
  return drafts.map((draft) => {
    const old = former.find((condition) => condition.type === draft.type && condition.state === draft.state);
    return { ...draft, since: old?.since ?? now.toISOString() };
  });
}

/** CommonReason as opposed to RevisionReason: the two share one field of the API's `reasons`. */
const commonReasons = new Set(['CONTAINER_MISSING', 'PROGRESS_DEADLINE_EXCEEDED', 'INTERNAL', 'UNKNOWN']);

function reasonOf(reason: string): Pick<Draft, 'reason' | 'revisionReason'> {
  return commonReasons.has(reason) ? { reason } : { revisionReason: reason };
}

export function revisionConditions(revision: Revision, now: Date): Condition[] {
  return merge(revision.conditions, revisionDrafts(revision), now);
}

function revisionDrafts({ outcome }: Revision): Draft[] {
  const ok = 'CONDITION_SUCCEEDED';
  switch (outcome.state) {
    case 'pending': {
      const message = 'Deploying revision.';
      return [
        { type: 'Ready', state: 'CONDITION_RECONCILING', message },
        { type: 'ResourcesAvailable', state: 'CONDITION_RECONCILING' },
        { type: 'ContainerReady', state: 'CONDITION_PENDING' },
        { type: 'ContainerHealthy', state: 'CONDITION_PENDING' },
      ];
    }
    case 'ready':
      return ['Ready', 'ResourcesAvailable', 'ContainerReady', 'ContainerHealthy'].map((type) => ({
        type,
        state: ok,
      }));
    case 'failed': {
      const failed = {
        state: 'CONDITION_FAILED',
        message: outcome.message,
        ...reasonOf(outcome.reason),
      } as const;
      const missing = outcome.reason === 'CONTAINER_MISSING';
      return [
        { type: 'Ready', ...failed },
        { type: 'ResourcesAvailable', state: ok },
        missing ? { type: 'ContainerReady', ...failed } : { type: 'ContainerReady', state: ok },
        missing
          ? { type: 'ContainerHealthy', state: 'CONDITION_PENDING' }
          : { type: 'ContainerHealthy', ...failed },
      ];
    }
  }
}

/** Why a service cannot go where it should: the message and code of its operation too. */
export type Failure = { code: number; message: string } & Pick<Draft, 'reason' | 'revisionReason'>;

export function revisionFailure({ id, outcome }: Revision): Failure | undefined {
  if (outcome.state !== 'failed') return undefined;
  return {
    code: 9,
    message: `Revision '${id}' is not ready and cannot serve traffic. ${outcome.message}`,
    ...reasonOf(outcome.reason),
  };
}

export function routeFailure(resolution: Resolution, newest: Revision | undefined): Failure | undefined {
  switch (resolution.state) {
    case 'routable':
      return undefined;
    case 'missing':
      return {
        code: 13,
        message: `Revision '${resolution.revision}' does not exist or is deleted. Update all traffic to route to currently available revisions.`,
        reason: 'UNKNOWN',
      };
    case 'unready':
      return revisionFailure(resolution.revision);
    case 'nothing-ready':
      return newest && revisionFailure(newest);
  }
}

/** `Ready` comes first; the API shows it as the terminal condition. */
export function settledConditions(
  service: Service,
  configurations: Failure | undefined,
  routes: Failure | undefined,
  now: Date,
): Condition[] {
  const drafts = [
    draft('Ready', configurations ?? routes),
    draft('ConfigurationsReady', configurations),
    draft('RoutesReady', routes),
  ];
  return merge(service.conditions, drafts, now);
}

function draft(type: string, failure: Failure | undefined): Draft {
  if (!failure) return { type, state: 'CONDITION_SUCCEEDED' };
  const { code: _, ...rest } = failure;
  return { type, state: 'CONDITION_FAILED', ...rest };
}

export function reconcilingConditions(service: Service, deploying: boolean, now: Date): Condition[] {
  const moving = 'CONDITION_RECONCILING';
  const configurations = service.conditions.find(({ type }) => type === 'ConfigurationsReady');
  const drafts: Draft[] = [
    { type: 'Ready', state: moving, message: deploying ? 'Deploying revision.' : 'Routing traffic.' },
    deploying || !configurations ? { type: 'ConfigurationsReady', state: moving } : configurations,
    { type: 'RoutesReady', state: moving },
  ];
  return merge(service.conditions, drafts, now);
}
