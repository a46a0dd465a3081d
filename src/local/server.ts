import { randomUUID } from 'node:crypto';
import { Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Fault, ImageStore } from './contracts.ts';
import { HomeBusyError } from './errors.ts';
import { openFaults } from './faults.ts';
import { complete, loadProtos } from './grpc.ts';
import { openHome, rememberPort } from './home.ts';
import { httpHandler, type ServiceStatus } from './http.ts';
import { acquireHomeLock } from './lock.ts';
import { openLogging } from './logging/index.ts';
import { openOperations, operationsService } from './operations.ts';
import { listen } from './port.ts';
import { openRememberedPorts } from './remembered-ports.ts';
import { openRouter } from './router/index.ts';
import { openRun } from './run/index.ts';
import { openRuntime } from './runtime/index.ts';
import { removeRecord, writeRecord } from './server-record.ts';
import { openStorage } from './storage/index.ts';
import { openTokens } from './tokens.ts';

export type LocalCloudOptions = {
  /** The folder of all its state; made when it is missing. */
  home: string;
  /** Default: the one that it had last, or any free one. */
  port?: number;
  /** What it was built from: a starter with another stamp replaces it. */
  stamp?: string;
  /** How long trafficStatuses lag behind the desired traffic; default 300. */
  trafficDelayMs?: number;
  /** In place of the images that Cloud Build makes. */
  images?: ImageStore;
};

export type LocalCloud = {
  port: number;
  home: string;
  services(): ServiceStatus[];
  inject(fault: Fault): void;
  /** Resolves when somebody asked over HTTP that it stops; whoever started it calls `stop`. */
  stopRequested: Promise<void>;
  stop(): Promise<void>;
};

const maxMessageBytes = 16 * 1024 * 1024;

/** Boots the local cloud in this process. Throws a `LocalCloudError` when the home is in use or not one. */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  await using parts = new AsyncDisposableStack();
  const { home, trafficDelayMs = 300 } = options;
  const remembered = openHome(home);
  const lock = acquireHomeLock(home);
  if (!lock) throw new HomeBusyError(home);
  parts.defer(() => lock.release());

  const logging = parts.adopt(openLogging({ home }), (part) => part.stop());
  const operations = openOperations({ home });
  const storage = parts.adopt(openStorage({ home }), (part) => part.stop());
  const tokens = openTokens({ home });
  const images = options.images ?? { resolve: () => undefined };
  const logs = logging.sink;
  const runtime = parts.adopt(openRuntime({ home, logs }), (part) => part.stop());
  const ports = openRememberedPorts({ home });
  const router = parts.adopt(openRouter({ logs, runtime, tokens, ports }), (part) => part.stop());
  const protos = loadProtos('run');
  const run = parts.adopt(
    await openRun({ home, protos, operations, images, runtime, router, trafficDelayMs }),
    (part) => part.stop(),
  );

  const faults = openFaults();
  const grpc = new Server({ 'grpc.max_receive_message_length': maxMessageBytes });
  const serve = (definition: ServiceDefinition, implementation: UntypedServiceImplementation) =>
    grpc.addService(definition, faults.wrap(definition, complete(definition, implementation)));
  serve(protos.service('google.longrunning.Operations'), operationsService(operations));
  serve(protos.service('google.cloud.run.v2.Services'), run.services);
  serve(protos.service('google.cloud.run.v2.Revisions'), run.revisions);
  serve(loadProtos('logging-api').service('google.logging.v2.LoggingServiceV2'), logging.service);

  const nonce = randomUUID();
  const stopRequest = Promise.withResolvers<void>();
  const health = { nonce, pid: process.pid, stamp: options.stamp ?? '' };
  const http = httpHandler({
    health,
    services: run.list,
    tokens,
    storage: storage.handle,
    onStop: stopRequest.resolve,
  });
  const shared = await listen({
    ...{ grpc, http },
    ...(options.port !== undefined && { port: options.port }),
    ...(remembered.port !== undefined && { preferredPort: remembered.port }),
  });
  parts.adopt(shared, (part) => part.stop());
  parts.defer(() => operations.stop());
  const { port } = shared;
  await Promise.all([rememberPort(home, port), writeRecord(home, { ...health, port })]);
  parts.defer(() => removeRecord(home));

  const owned = parts.move();
  return {
    ...{ port, home },
    services: run.list,
    inject: faults.inject,
    stopRequested: stopRequest.promise,
    stop: () => owned.disposeAsync(),
  };
}
