import { randomUUID } from 'node:crypto';
import { Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Hono } from 'hono';
import { openBuild } from './build/index.ts';
import type { ImageStore, Runtime } from './contracts.ts';
import type { IdleTimeout, ServiceStatus } from './control.ts';
import { HomeBusyError } from './errors.ts';
import type { Fault, FaultSpec } from './faults/fault.ts';
import { ArmedFaults, faultyServices, faultyStorage } from './faults/index.ts';
import { complete } from './grpc.ts';
import { openHome, remember } from './home.ts';
import { openJournal } from './journal/journal.ts';
import { Latency, slowAccess, slowSink } from './latency/index.ts';
import { noLatency } from './latency/profile.ts';
import { acquireHomeLock } from './lock.ts';
import { openLogging } from './logging/index.ts';
import { openOperations, operationsService } from './operations.ts';
import { platformRoutes } from './platform/index.ts';
import { listen } from './port.ts';
import { loadProtos, type Protos } from './protos.ts';
import { openRememberedPorts } from './remembered-ports.ts';
import { restRoutes, type ServedService } from './rest/routes.ts';
import { openRouter } from './router/index.ts';
import { openRun } from './run/index.ts';
import { defaultIdleMs, openRuntime } from './runtime/index.ts';
import { openSecrets } from './secrets/index.ts';
import { removeRecord, writeRecord } from './server-record.ts';
import { openSql } from './sql/index.ts';
import { openStorage } from './storage/index.ts';
import { openTokens } from './tokens.ts';
import { webApp } from './web/app.ts';
import { controlRoutes } from './web/control-routes.ts';
import type { WebEnv } from './web/env.ts';
import { webListener } from './web/listener.ts';
import { tokenRoutes } from './web/token-routes.ts';
import { openTunnel } from './web/tunnel.ts';

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
  /** What the JSON APIs without protos answer, in Hono's words. */
  jsonRoutes: { method: string; path: string }[];
  inject(fault: FaultSpec): Fault;
  faults(): Fault[];
  clearFaults(id?: string): Fault[];
  /** Resolves when somebody asked over HTTP that it stops; whoever started it calls `stop`. */
  stopRequested: Promise<void>;
  stop(): Promise<void>;
};

const maxMessageBytes = 16 * 1024 * 1024;

/** Boots the local cloud in this process. Throws a `LocalCloudError` when the home is in use or not one. */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  await using parts = new AsyncDisposableStack();
  const { home, stamp = '' } = options;
  const remembered = openHome(home);
  const lock = acquireHomeLock(home);
  if (!lock) throw new HomeBusyError(home);
  parts.defer(() => lock.release());

  const latency = new Latency(remembered.latency ?? noLatency);
  let host = '127.0.0.1';
  const protos = loadProtos();
  const backends = await openBackends({ ...options, host: () => host, latency, protos }, parts);
  const faults = new ArmedFaults(latency);
  const idleTimeout = idleTimeoutOf(home, backends.runtime, remembered.idleTimeout);
  const stopRequest = Promise.withResolvers<void>();
  const health = { nonce: randomUUID(), pid: process.pid, stamp };
  const served = servicesOf(protos, backends, faults);
  const control = controlRoutes({
    ...{ health, services: backends.run.list, faults, latency },
    onLatency: () => remember(home, { latency: latency.setting }),
    idleTimeout,
    onStop: stopRequest.resolve,
  });
  const jsonApis = routesOf(backends);
  const storage = faultyStorage(faults, backends.storage.handle);
  const tunnel = parts.adopt(openTunnel({ home, storage }), (part) => part.close());
  const shared = await listen({
    grpc: grpcServer(served),
    http: webListener({
      app: webApp([control, ...jsonApis, restRoutes(served, protos.root)], faults),
      storage,
    }),
    connect: tunnel.connect,
    ...(options.port !== undefined && { port: options.port }),
    ...(remembered.port !== undefined && { preferredPort: remembered.port }),
  });
  parts.adopt(shared, (part) => part.stop());
  const { port } = shared;
  host = `127.0.0.1:${port}`;
  await Promise.all([remember(home, { port }), writeRecord(home, { ...health, port })]);
  parts.defer(() => removeRecord(home));

  const owned = parts.move();
  return {
    ...{ port, home },
    services: backends.run.list,
    jsonRoutes: jsonApis.flatMap(({ routes }) => routes.map(({ method, path }) => ({ method, path }))),
    inject: (fault) => faults.add(fault),
    faults: () => faults.list(),
    clearFaults: (id) => faults.clear(id),
    stopRequested: stopRequest.promise,
    stop: () => owned.disposeAsync(),
  };
}

type Backends = Awaited<ReturnType<typeof openBackends>>;

/** What stands behind the port. `parts` closes it, the last opened first. */
async function openBackends(
  options: LocalCloudOptions & { host(): string; latency: Latency; protos: Protos },
  parts: AsyncDisposableStack,
) {
  const { home, host, latency, protos, trafficDelayMs = 300 } = options;
  const opened = <T extends { stop(): void | Promise<void> }>(part: T) =>
    parts.adopt(part, () => part.stop());
  const journal = opened(openJournal({ home }));
  const logging = opened(openLogging({ home }));
  const logs = opened(slowSink(logging.sink, latency));
  const operations = opened(openOperations({ journal }));
  const tokens = openTokens({ home });
  const secrets = openSecrets({ journal });
  const storage = opened(openStorage({ home }));
  const build = opened(
    openBuild({
      ...{ home, host, journal, protos, storage, logs, operations },
      provision: (signal) => latency.wait('buildQueue', signal),
    }),
  );
  const images = options.images ?? build.images;
  const sql = opened(openSql({ home, journal, logs }));
  const runtime = opened(
    openRuntime({
      ...{ home, logs, secrets: secrets.reader, cloudSql: sql },
      provision: (start) => latency.wait(start === 'DEPLOYMENT_ROLLOUT' ? 'revision' : 'coldStart'),
    }),
  );
  const router = opened(
    slowAccess(openRouter({ logs, runtime, tokens, ports: openRememberedPorts({ journal }) }), latency),
  );
  const run = opened(
    await openRun({
      ...{ journal, protos, operations, images, secrets: secrets.reader, runtime, router },
      trafficDelayMs: () => trafficDelayMs + latency.ms('traffic'),
    }),
  );
  const platform = platformRoutes({ journal });
  return { logging, operations, tokens, secrets, storage, build, sql, runtime, run, platform };
}

/** The setting, applied to the runtime and remembered for the next start. */
function idleTimeoutOf(home: string, runtime: Runtime, remembered: IdleTimeout | undefined) {
  let setting = remembered ?? { seconds: defaultIdleMs / 1000 };
  runtime.setIdleTimeout(setting.seconds * 1000);
  return {
    get: () => setting,
    async set(wanted: IdleTimeout) {
      setting = wanted;
      runtime.setIdleTimeout(setting.seconds * 1000);
      await remember(home, { idleTimeout: setting });
    },
  };
}

type Served = ServedService & { definition: ServiceDefinition };

/** What is served over gRPC, and over REST by the same handlers. */
function servicesOf(protos: Protos, backends: Backends, faults: ArmedFaults): Served[] {
  const { operations, run, build, logging } = backends;
  const faulty = faultyServices(faults);
  const serve = (name: string, implementation: UntypedServiceImplementation) => {
    const definition = protos.service(name);
    return { name, definition, implementation: faulty(definition, complete(definition, implementation)) };
  };
  return [
    serve('google.longrunning.Operations', operationsService(operations)),
    serve('google.cloud.run.v2.Services', run.services),
    serve('google.cloud.run.v2.Revisions', run.revisions),
    serve('google.cloud.run.v2.Builds', build.submit),
    serve('google.devtools.cloudbuild.v1.CloudBuild', build.service),
    serve('google.logging.v2.LoggingServiceV2', logging.service),
  ];
}

function grpcServer(served: readonly Served[]): Server {
  const server = new Server({ 'grpc.max_receive_message_length': maxMessageBytes });
  for (const { definition, implementation } of served) server.addService(definition, implementation);
  return server;
}

/** The JSON APIs that have no protos here. */
function routesOf({ tokens, secrets, sql, run, platform }: Backends): Hono<WebEnv>[] {
  return [tokenRoutes(tokens), secrets.routes, sql.routes, run.knative, ...platform];
}
