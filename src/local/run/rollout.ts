import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageStore, Router, Runtime, SecretReader } from '../contracts.ts';
import { untilWritten } from '../journal/failure.ts';
import type { OperationOutcome, OperationStore } from '../operations.ts';
import {
  type Failure,
  revisionConditions,
  revisionFailure,
  routeFailure,
  settledConditions,
  updateActivity,
} from './conditions.ts';
import { formatServiceName } from './names.ts';
import { isPublic } from './policy.ts';
import { unreadableSecrets } from './secrets.ts';
import { findRevision, latestReady, type Revision, type RunState, refOf, type Service } from './state.ts';
import { toRunnable } from './template.ts';
import { resolveTraffic, splitOf, tagsOf } from './traffic.ts';
import type { Packing } from './v2/packing.ts';

export type RolloutParts = {
  state: RunState;
  pack: Packing;
  operations: OperationStore;
  images: ImageStore;
  secrets: SecretReader;
  runtime: Runtime;
  router: Router;
  /** How long the actual traffic lags behind the desired. */
  trafficDelayMs: () => number;
};

export type Rollout = {
  /** Works towards what the service says, behind the answer of the write that changed it. */
  start(service: Service): void;
  /** After a restart: ready revisions and routes as they were, then whatever was under way. */
  resume(service: Service): Promise<void>;
  remove(service: Service): Promise<void>;
  stop(): Promise<void>;
};

type Settling = { again: boolean; done: Promise<void> };

export function openRollout(parts: RolloutParts): Rollout {
  const { state, operations, pack, images, secrets, runtime, router } = parts;
  const stopped = new AbortController();
  const deploying = new Map<Revision, Promise<void>>();
  /** One at a time for each service; a start during one makes another follow. */
  const settling = new Map<Service, Settling>();
  const isGone = (service: Service) => stopped.signal.aborted || !state.has(service);

  const written = (write: () => Promise<unknown>) => untilWritten(write, stopped.signal);

  async function deploy(service: Service, revision: Revision): Promise<void> {
    const outcome = await tryRevision(service, revision);
    if (isGone(service)) return;
    revision.outcome = outcome;
    revision.conditions = revisionConditions(revision, new Date());
    revision.updateTime = new Date().toISOString();
    await written(() => state.save(service, revision));
    start(service);
  }

  async function tryRevision(service: Service, revision: Revision): Promise<Revision['outcome']> {
    const image = revision.image && images.resolve(revision.image);
    if (!image) {
      const asked = revision.template.containers[0]?.image ?? '';
      return { state: 'failed', reason: 'CONTAINER_MISSING', message: `Image '${asked}' not found.` };
    }
    const unreadable = unreadableSecrets(service.project, revision.template, secrets);
    if (unreadable) return { state: 'failed', reason: 'SECRETS_ACCESS_CHECK_FAILED', message: unreadable };
    try {
      const report = await runtime.deploy(toRunnable(service, revision.id, revision.template, image));
      return report.ready ? { state: 'ready' } : { state: 'failed', ...report };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { state: 'failed', reason: 'INTERNAL', message };
    }
  }

  function start(service: Service): void {
    if (isGone(service)) return;
    for (const revision of service.revisions) {
      if (revision.outcome.state !== 'pending' || deploying.has(revision)) continue;
      deploying.set(
        revision,
        deploy(service, revision).finally(() => deploying.delete(revision)),
      );
    }
    const running = settling.get(service);
    if (running) {
      running.again = true;
      return;
    }
    const own: Settling = { again: true, done: Promise.resolve() };
    settling.set(service, own);
    own.done = settleUntilQuiet(service, own);
  }

  async function settleUntilQuiet(service: Service, own: Settling): Promise<void> {
    while (own.again && !isGone(service)) {
      own.again = false;
      await settle(service);
    }
    settling.delete(service);
  }

  async function settle(service: Service): Promise<void> {
    if (waitsForRevision(service)) {
      // Who may call it can have changed meanwhile.
      if (service.uri) await route(service, service.actual).catch(() => {});
      return;
    }
    const { version } = service;
    await sleep(parts.trafficDelayMs(), undefined, { signal: stopped.signal }).catch(() => {});
    if (isGone(service) || service.version !== version) return;

    const resolution = resolveTraffic(service);
    const targets = resolution.state === 'routable' ? resolution.targets : service.actual;
    const unrouted = await route(service, targets).then(() => undefined, internalFailure);
    if (isGone(service)) return;

    if (!unrouted) service.actual = targets;
    const newest = findRevision(service, service.latestCreated);
    const configurations = newest && revisionFailure(newest);
    const routes = unrouted ?? routeFailure(resolution, newest);
    const ready = latestReady(service);
    if (ready) service.latestReady = ready.id;
    if (service.version !== version) return;
    const now = new Date();
    service.conditions = settledConditions(service, configurations, routes, now);
    const changed = updateActivity(service, now);
    service.reconciling = false;
    if (!configurations && !routes) service.observedGeneration = service.generation;
    // Found before anything is awaited: an operation of a write that comes meanwhile is not over.
    const ended = endedOperations(service, routes);
    const metadata = pack.service(service);
    const names = new Set(ended.map(({ operation }) => operation));
    service.pending = service.pending.filter(({ operation }) => !names.has(operation));
    await written(() =>
      Promise.all([
        state.save(service, ...changed),
        ...ended.map(({ operation, outcome }) => operations.complete(operation, outcome, metadata)),
      ]),
    );
  }

  async function route(service: Service, targets: Service['actual']): Promise<void> {
    const { project, location, spec } = service;
    const split = splitOf(targets);
    const tags = tagsOf(targets);
    for (const id of new Set(targets.map(({ revision }) => revision))) register(service, id);
    // Those that were routed may need fewer instances now.
    const routed = new Set([...service.actual, ...targets].map(({ revision }) => revision));
    const urls = await router.apply({
      ...{ project, location, service: service.service },
      public: spec.invokerIamDisabled || isPublic(service.policy),
      reachable: (spec.ingress ?? 'INGRESS_TRAFFIC_ALL') === 'INGRESS_TRAFFIC_ALL',
      split,
      tags,
    });
    service.uri = urls.uri;
    service.tagUris = urls.tagUris;
    for (const id of routed) {
      const revision = state.revision(service, id);
      if (revision?.outcome.state === 'ready')
        runtime.keep(refOf(service, revision), minimum(service, revision, split, tags));
    }
  }

  /** After a restart the runtime knows no revision; it needs those that requests can reach. */
  function register(service: Service, id: string): void {
    const revision = state.revision(service, id);
    const image = revision?.image && images.resolve(revision.image);
    if (revision && image) runtime.register(toRunnable(service, id, revision.template, image));
  }

  /** The operations that have run their course, with what became of them. */
  function endedOperations(service: Service, routes: Failure | undefined) {
    const response = pack.service(service);
    return service.pending.flatMap(({ operation, revision }) => {
      const own = revision ? findRevision(service, revision) : undefined;
      if (own?.outcome.state === 'pending') return [];
      const failure = (own && revisionFailure(own)) ?? routes;
      const outcome: OperationOutcome = failure ? { error: failure } : { response };
      return [{ operation, outcome }];
    });
  }

  return {
    start,
    async resume(service) {
      await route(service, service.actual);
      if (service.reconciling || service.pending.length > 0) start(service);
    },
    async remove(service) {
      const { project, location } = service;
      await router.remove({ project, location, service: service.service });
      // Instances have their grace; nobody waits for it.
      for (const revision of service.revisions) void runtime.remove(refOf(service, revision));
      const message = `Service '${formatServiceName(service)}' was deleted.`;
      for (const { operation } of service.pending) {
        await written(() => operations.complete(operation, { error: { code: 10, message } }));
      }
    },
    async stop() {
      stopped.abort();
      await Promise.all([...settling.values()].map(({ done }) => done));
    },
  };
}

function internalFailure(error: unknown): Failure {
  return { code: 13, message: error instanceof Error ? error.message : String(error), reason: 'INTERNAL' };
}

/** The newest revision and those that the traffic names decide; an older one that still deploys does not hold them up. */
function waitsForRevision(service: Service): boolean {
  const awaited = new Set([
    service.latestCreated,
    ...(service.spec.traffic ?? []).map(({ revision }) => revision),
  ]);
  return service.revisions.some(({ id, outcome }) => awaited.has(id) && outcome.state === 'pending');
}

/** The revision's own minimum counts while it is routed or tagged; the service's is shared out by traffic. */
function minimum(
  service: Service,
  revision: Revision,
  split: readonly { revision: string; percent: number }[],
  tags: readonly { revision: string }[],
): number {
  const percent = split.find((entry) => entry.revision === revision.id)?.percent ?? 0;
  const reachable = percent > 0 || tags.some((tag) => tag.revision === revision.id);
  const own = reachable ? (revision.template.scaling?.minInstanceCount ?? 0) : 0;
  return Math.max(own, Math.ceil(((service.spec.scaling?.minInstanceCount ?? 0) * percent) / 100));
}
