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
const commonReasons = new Set([
  ...[
    'CONTAINER_MISSING',
    'SECRETS_ACCESS_CHECK_FAILED',
    'PROGRESS_DEADLINE_EXCEEDED',
    'INTERNAL',
    'UNKNOWN',
  ],
]);

function reasonOf(reason: string): Pick<Draft, 'reason' | 'revisionReason'> {
  return commonReasons.has(reason) ? { reason } : { revisionReason: reason };
}

export function revisionConditions(revision: Revision, now: Date): Condition[] {
  const seconds = ((now.getTime() - Date.parse(revision.createTime)) / 1000).toFixed(2);
  return merge(revision.conditions, revisionDrafts(revision, seconds), now);
}

/** The conditions of a revision and their messages, as Cloud Run's own audit log shows them. */
function revisionDrafts({ outcome, image }: Revision, seconds: string): Draft[] {
  const ok = 'CONDITION_SUCCEEDED';
  const imported: Draft = { type: 'ContainerReady', state: ok, message: 'Container image import completed.' };
  const provisioned: Draft = {
    type: 'ResourcesAvailable',
    state: ok,
    message: 'Provisioning imported containers completed.',
  };
  switch (outcome.state) {
    case 'pending':
      return [
        { type: 'Ready', state: 'CONDITION_RECONCILING', message: 'Deploying revision.' },
        { type: 'ContainerHealthy', state: 'CONDITION_PENDING' },
        image === undefined ? { type: 'ContainerReady', state: 'CONDITION_PENDING' } : imported,
        { type: 'ResourcesAvailable', state: 'CONDITION_RECONCILING' },
      ];
    case 'ready':
      return [
        { type: 'Ready', state: ok, message: `Deploying revision succeeded in ${seconds}s.` },
        { type: 'ContainerHealthy', state: ok, message: `Containers became healthy in ${seconds}s.` },
        imported,
        provisioned,
      ];
    case 'failed': {
      const failed = {
        state: 'CONDITION_FAILED',
        message: outcome.message,
        ...reasonOf(outcome.reason),
      } as const;
      const ready: Draft = { type: 'Ready', ...failed };
      const healthy: Draft = { type: 'ContainerHealthy', state: 'CONDITION_PENDING' };
      if (outcome.reason === 'CONTAINER_MISSING')
        return [ready, healthy, { type: 'ContainerReady', ...failed }];
      // No container is started.
      if (outcome.reason === 'SECRETS_ACCESS_CHECK_FAILED')
        return [ready, healthy, imported, { type: 'ResourcesAvailable', ...failed }];
      return [ready, { type: 'ContainerHealthy', ...failed }, imported, provisioned];
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

/** Says of each revision that started whether requests can reach it; answers those for which that is news. */
export function updateActivity(service: Service, now: Date): Revision[] {
  const reached = new Set(service.actual.map(({ revision }) => revision));
  return service.revisions.filter((revision) => {
    if (revision.outcome.state !== 'ready') return false;
    const draft = activity(reached.has(revision.id));
    const former = revision.conditions.find(({ type }) => type === draft.type);
    if (former?.state === draft.state) return false;
    const others = revision.conditions.filter((condition) => condition !== former);
    revision.conditions = [...others, { ...draft, since: now.toISOString() }];
    return true;
  });
}

function activity(active: boolean): Draft {
  const common = { type: 'Active', severity: 'INFO' } as const;
  if (active) return { ...common, state: 'CONDITION_SUCCEEDED' };
  return { ...common, state: 'CONDITION_FAILED', revisionReason: 'RETIRED', message: 'Revision retired.' };
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
