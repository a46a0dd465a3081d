import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ImageStore, Router, Runtime, SecretReader } from '../contracts.ts';
import type { Protos } from '../grpc.ts';
import type { Journal } from '../journal/journal.ts';
import type { OperationStore } from '../operations.ts';
import { revisionsService } from './revisions.ts';
import { openRollout } from './rollout.ts';
import { servicesService } from './services.ts';
import { openRunState, type Service } from './state.ts';

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
  /** Every service and where it answers. */
  list(): { project: string; location: string; service: string; uri: string; ready: boolean }[];
  stop(): Promise<void>;
};

/** Cloud Run Admin v2. Resolves when every stored service is routed again. */
export async function openRun(options: RunOptions): Promise<RunBackend> {
  const state = openRunState(options.journal);
  const rollout = openRollout({ ...options, state });
  await Promise.all(state.services().map((service) => rollout.resume(service)));
  await endDeletions(options.operations, state.services());
  return {
    services: servicesService({ ...options, state, rollout }),
    revisions: revisionsService({ ...options, state }),
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
