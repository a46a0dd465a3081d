import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Hono } from 'hono';
import type { ImageStore, Router, Runtime, SecretReader } from '../contracts.ts';
import type { Journal } from '../journal/journal.ts';
import type { OperationStore } from '../operations.ts';
import type { Protos } from '../protos.ts';
import type { WebEnv } from '../web/env.ts';
import { knativeRoutes } from './knative/routes.ts';
import { openModel } from './model.ts';
import { openRollout } from './rollout.ts';
import { openRunState, type Service } from './state.ts';
import { openPacking } from './v2/packing.ts';
import { revisionsService } from './v2/revisions.ts';
import { servicesService } from './v2/services.ts';

export type RunOptions = {
  journal: Journal;
  protos: Protos;
  operations: OperationStore;
  images: ImageStore;
  secrets: SecretReader;
  runtime: Runtime;
  router: Router;
  /** How long trafficStatuses lag behind the desired traffic. */
  trafficDelayMs: () => number;
};

export type RunBackend = {
  /** google.cloud.run.v2.Services */
  services: UntypedServiceImplementation;
  /** google.cloud.run.v2.Revisions */
  revisions: UntypedServiceImplementation;
  /** The same over Cloud Run's v1 API. */
  knative: Hono<WebEnv>;
  /** Every service and where it answers. */
  list(): { project: string; location: string; service: string; uri: string; ready: boolean }[];
  stop(): Promise<void>;
};

/** Cloud Run: one model, with its v2 and its v1 API. Resolves when every stored service is routed again. */
export async function openRun(options: RunOptions): Promise<RunBackend> {
  const state = openRunState(options.journal);
  const parts = { ...options, state, pack: openPacking(options.protos) };
  const rollout = openRollout(parts);
  await Promise.all(state.services().map((service) => rollout.resume(service)));
  await endDeletions(options.operations, state.services());
  const model = openModel({ ...parts, rollout });
  return {
    services: servicesService(model),
    revisions: revisionsService(model),
    knative: knativeRoutes(model),
    list: () =>
      state.services().map(({ project, location, service, uri, conditions }) => ({
        ...{ project, location, service, uri },
        ready: conditions.some(({ type, state }) => type === 'Ready' && state === 'CONDITION_SUCCEEDED'),
      })),
    stop: () => rollout.stop(),
  };
}

/** A deletion is on the disk before its operation runs, so one that a stop cut short is done. */
async function endDeletions(operations: OperationStore, services: readonly Service[]): Promise<void> {
  const running = new Set(services.flatMap(({ pending }) => pending.map(({ operation }) => operation)));
  const orphans = operations
    .list('projects/')
    .filter(({ name, done, metadata }) => !done && isRun(metadata.type_url) && !running.has(name));
  for (const { name, metadata } of orphans) await operations.complete(name, { response: metadata });
}

function isRun(typeUrl: string): boolean {
  return typeUrl.includes('/google.cloud.run.v2.');
}
