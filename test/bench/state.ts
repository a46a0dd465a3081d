import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServicesClient } from '@google-cloud/run';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { openImages } from '../../src/local/build/image-store.ts';
import { openHome } from '../../src/local/home.ts';
import { openJournal } from '../../src/local/journal/journal.ts';
import { ensureLocalCloud, localCloudStatus, stopLocalCloud } from '../../src/local/launcher.ts';
import { openRunState, type Service } from '../../src/local/run/state.ts';
import { type Claim, median } from './claim.ts';

const entry = fileURLToPath(new URL('../../dist/src/local/main.js', import.meta.url));
const parent = 'projects/demo/locations/europe-west1';
const image = 'europe-west1-docker.pkg.dev/demo/apps/hello:1';
const program =
  "require('http').createServer((q, s) => s.end(process.env.K_REVISION)).listen(process.env.PORT)";

/** A local cloud of many services: how long it takes to start, to answer and to take a write, and what it weighs. */
export async function benchState(): Promise<Claim[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
  const [few, many] = [path.join(folder, 'few'), path.join(folder, 'many')];
  try {
    await grow(few, 10, 10);
    await growThousand(many);
    const [small, large] = await measure([few, many]);
    if (!small || !large) throw new Error('nothing was measured');
    return claims(small, large);
  } finally {
    for (const home of [few, many]) await stopLocalCloud({ home });
    await rm(folder, { recursive: true, force: true });
  }
}

/** A thousand services of ten revisions each. */
export const growThousand = (home: string) => grow(home, 1000, 10);

/** One service is deployed for real; the others are written into the state as copies of it. */
async function grow(home: string, services: number, revisions: number): Promise<void> {
  openHome(home);
  await layImage(home);
  const client = connect((await start(home)).port);
  const service = { template: { containers: [{ image }] }, invokerIamDisabled: true };
  const [operation] = await client.createService({ parent, serviceId: 'model', service });
  await operation.promise();
  await client.close();
  await stopLocalCloud({ home });
  const journal = openJournal({ home });
  const state = openRunState(journal);
  const [model] = state.services();
  if (!model) throw new Error('no service to copy');
  const writes = Array.from({ length: services - 1 }, (_, n) => {
    const copy = copyOf(model, `service-${String(n).padStart(4, '0')}`, revisions);
    const [first, ...more] = copy.revisions;
    return [state.replace(copy, copy, first), state.save(copy, ...more)];
  });
  await Promise.all(writes.flat());
  await journal.stop();
}

/** The same service under another name, with so many revisions, all ready; the newest serves. */
function copyOf(model: Service, name: string, revisions: number): Service {
  const [own] = model.revisions;
  if (!own) throw new Error('the model has no revision');
  const ids = Array.from({ length: revisions }, (_, n) => `${name}-${String(n + 1).padStart(5, '0')}-abc`);
  const newest = ids.at(-1) ?? '';
  return {
    ...structuredClone(model),
    service: name,
    uid: randomUUID(),
    revisions: ids.map((id, n) => ({ ...structuredClone(own), id, uid: randomUUID(), number: n + 1 })),
    lastNumber: revisions,
    latestCreated: newest,
    latestReady: newest,
    actual: model.actual.map((target) => ({ ...target, revision: newest })),
    uri: '',
  };
}

async function layImage(home: string): Promise<void> {
  const staging = path.join(home, 'staging');
  mkdirSync(staging);
  await writeFile(path.join(staging, 'index.js'), program);
  const journal = openJournal({ home });
  const store = openImages({ home, journal });
  const { digest } = await store.add(staging, { command: [process.execPath, 'index.js'], env: {} });
  await store.push(image, digest);
  await journal.stop();
}

async function start(home: string): Promise<{ ms: number; port: number }> {
  const began = performance.now();
  const { port } = await ensureLocalCloud({ home, stamp: 'bench', entry });
  return { ms: performance.now() - began, port };
}

function connect(port: number): ServicesClient {
  return new ServicesClient({
    ...{ apiEndpoint: '127.0.0.1', port, projectId: 'demo' },
    sslCreds: credentials.createInsecure(),
    authClient: new PassThroughClient(),
  });
}

type Figures = {
  /** Milliseconds of every start. */
  starts: number[];
  mib: number;
  list: number[];
  get: number[];
  update: number[];
};

const calls = 150;

/** The two in turn, so that whatever else this machine does, it does to both. */
async function measure(homes: readonly string[]): Promise<Figures[]> {
  const starts = homes.map((): number[] => []);
  for (let round = 0; round < 5; round++) {
    for (const [n, home] of homes.entries()) {
      await stopLocalCloud({ home });
      const { ms } = await start(home);
      // The first one after the seeding opens new ports.
      if (round > 0) starts[n]?.push(ms);
    }
  }
  const times = homes.map((_, n) => ({ starts: starts[n] ?? [], list: [], get: [], update: [] }));
  const clients = await Promise.all(homes.map(async (home) => connect((await start(home)).port)));
  for (let call = 0; call < calls; call++) {
    for (const [n, client] of clients.entries()) await timeCalls(client, times[n]);
  }
  await Promise.all(clients.map((client) => client.close()));
  return Promise.all(times.map(async (each, n) => ({ ...each, mib: await residentMiB(homes[n] ?? '') })));
}

async function timeCalls(client: ServicesClient, times: Omit<Figures, 'mib'> | undefined): Promise<void> {
  const name = `${parent}/services/service-0005`;
  const page = { parent, pageSize: 100 };
  const traffic = [{ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST' as const, percent: 100 }];
  const update = { service: { name, traffic }, updateMask: { paths: ['traffic'] } };
  times?.get.push(await wall(() => client.getService({ name })));
  times?.list.push(await wall(() => client.listServices(page, { autoPaginate: false })));
  times?.update.push(await wall(() => client.updateService(update)));
}

async function wall(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await call();
  return performance.now() - began;
}

/** The nearest rank. */
function p95(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.ceil(times.length * 0.95) - 1] ?? Number.NaN;
}

/** Linux only: what the server's process holds in memory. */
async function residentMiB(home: string): Promise<number> {
  const status = await localCloudStatus({ home });
  const pid = status.state === 'running' ? status.pid : 0;
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(line?.[1]) / 1024);
}

function claims(few: Figures, many: Figures): Claim[] {
  const startMs = median(many.starts);
  const shown = (values: readonly number[]) => values.map(Math.round).join(', ');
  const ratio = (name: string, of: 'get' | 'update'): Claim => {
    const medians = [median(few[of]), median(many[of])] as const;
    const value = medians[1] / medians[0];
    const detail = `median at 10 services ${medians[0].toFixed(1)} ms, at 1,000 ${medians[1].toFixed(1)} ms`;
    return { name, value, unit: '× 10 services', target: '≤ 1.5', met: value <= 1.5, detail: [detail] };
  };
  const page = p95(many.list);
  return [
    {
      ...{ name: 'start with 1,000 services, 10,000 revisions', value: Math.round(startMs), unit: 'ms' },
      ...{ target: '≤ 2,000', met: startMs <= 2000 },
      detail: [`with 10 services: ${shown(few.starts)} ms; with 1,000: ${shown(many.starts)} ms`],
    },
    { name: 'p95 of a page of 100 services', value: page, unit: 'ms', target: '≤ 150', met: page <= 150 },
    ratio('GetService among 1,000 services', 'get'),
    ratio('UpdateService among 1,000 services', 'update'),
    {
      ...{ name: 'memory with 1,000 services', value: many.mib, unit: 'MiB', target: '≤ 350' },
      ...{ met: many.mib <= 350, detail: [`with 10 services ${few.mib} MiB`] },
    },
  ];
}
