import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type protos, RevisionsClient, ServicesClient } from '@google-cloud/run';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { onTestFinished } from 'vitest';
import { type Journal, openJournal } from '../../src/local/journal/journal.ts';
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from '../../src/local/server.ts';
import { programs } from './programs.ts';

export type ServiceMessage = protos.google.cloud.run.v2.IService;

export const parent = 'projects/demo/locations/europe-west1';
export const chat = `${parent}/services/chat`;

/** A folder that goes with the test. */
export function tempHome(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return path.join(folder, 'home');
}

/** The journal of a part that is tested alone; `home` is made. */
export function openTestJournal(home = tempHome()): Journal {
  mkdirSync(home, { recursive: true });
  const journal = openJournal({ home });
  onTestFinished(() => journal.stop());
  return journal;
}

export async function startCloud(
  options: Partial<LocalCloudOptions> & { home: string },
): Promise<LocalCloud> {
  const cloud = await startLocalCloud({
    trafficDelayMs: 20,
    images: programs(options.home),
    ...options,
  });
  onTestFinished(() => cloud.stop());
  return cloud;
}

/** How an official client reaches the local cloud over gRPC. */
export function clientOptions(port: number) {
  return {
    apiEndpoint: '127.0.0.1',
    port,
    projectId: 'demo',
    sslCreds: credentials.createInsecure(),
    authClient: new PassThroughClient(),
  };
}

export function connect(port: number) {
  const options = clientOptions(port);
  const services = new ServicesClient(options);
  const revisions = new RevisionsClient(options);
  onTestFinished(async () => {
    await Promise.all([services.close(), revisions.close()]);
  });
  return { services, revisions };
}

export type Clients = ReturnType<typeof connect>;

/** A service that answers; `patch` goes over it. */
export function serviceMessage(patch: ServiceMessage = {}, image = 'images/good:1'): ServiceMessage {
  return { template: { containers: [{ image, startupProbe: fastProbe }] }, ...patch };
}

/** So that a test of a failure does not wait for Cloud Run's four minutes. */
const fastProbe = { periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 3, tcpSocket: {} };

const quick = {
  initialRetryDelayMillis: 20,
  retryDelayMultiplier: 1,
  maxRetryDelayMillis: 20,
  totalTimeoutMillis: 30_000,
};
const polling = { longrunning: quick, timeout: 5000 };

export async function create({ services }: Clients, service = serviceMessage(), serviceId = 'chat') {
  const [operation] = await services.createService({ parent, serviceId, service }, polling);
  const [created] = await operation.promise();
  return created;
}

/** Writes only the named fields. */
export async function update({ services }: Clients, service: ServiceMessage, ...paths: string[]) {
  const [operation] = await services.updateService(
    { service: { name: chat, ...service }, ...(paths.length > 0 && { updateMask: { paths } }) },
    polling,
  );
  const [updated] = await operation.promise();
  return updated;
}

export async function read({ services }: Clients, name = chat) {
  const [service] = await services.getService({ name }, { timeout: 2000 });
  return service;
}
