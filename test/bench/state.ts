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
import type { Claim } from './claim.ts';

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
    const small = await measure(few);
    return claims(small, await measure(many));
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
  await withCloud(home, async ({ client }) => {
    const template = { containers: [{ image }] };
    const request = { parent, serviceId: 'model', service: { template, invokerIamDisabled: true } };
    const [operation] = await client.createService(request);
    await operation.promise();
  });
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

async function withCloud<T>(
  home: string,
  use: (cloud: { ms: number; client: ServicesClient }) => Promise<T>,
): Promise<T> {
  const { ms, port } = await start(home);
  const client = new ServicesClient({
    apiEndpoint: '127.0.0.1',
    port,
    projectId: 'demo',
    sslCreds: credentials.createInsecure(),
    authClient: new PassThroughClient(),
  });
  try {
    return await use({ ms, client });
  } finally {
    await client.close();
  }
}

type Figures = {
  /** Milliseconds; the first start after the seeding opens new ports. */
  starts: number[];
  listMs: number;
  getMs: number;
  updateMs: number;
  mib: number;
};

async function measure(home: string): Promise<Figures> {
  const starts: number[] = [];
  for (let round = 0; round < 4; round++) {
    await stopLocalCloud({ home });
    starts.push((await start(home)).ms);
  }
  return withCloud(home, async ({ client }) => {
    const name = `${parent}/services/service-0005`;
    const page = { parent, pageSize: 100 };
    const traffic = [{ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST' as const, percent: 100 }];
    const update = { service: { name, traffic }, updateMask: { paths: ['traffic'] } };
    return {
      starts: starts.slice(1),
      listMs: await p95(40, () => client.listServices(page, { autoPaginate: false })),
      getMs: await p95(200, () => client.getService({ name })),
      updateMs: await p95(100, () => client.updateService(update)),
      mib: await residentMiB(home),
    };
  });
}

/** Of the wall times in milliseconds, the nearest rank; the first tenth only warms up. */
async function p95(calls: number, call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < calls * 1.1; n++) {
    const began = performance.now();
    await call();
    times.push(performance.now() - began);
  }
  const sorted = times.slice(-calls).sort((a, b) => a - b);
  return sorted[Math.ceil(calls * 0.95) - 1] ?? Number.NaN;
}

/** Linux only: what the server's process holds in memory. */
async function residentMiB(home: string): Promise<number> {
  const status = await localCloudStatus({ home });
  const pid = status.state === 'running' ? status.pid : 0;
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(line?.[1]) / 1024);
}

function claims(few: Figures, many: Figures): Claim[] {
  const slowest = Math.max(...many.starts);
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const ratio = (name: string, of: 'getMs' | 'updateMs'): Claim => {
    const value = many[of] / few[of];
    const detail = [`p95 at 10 services ${ms(few[of])}, at 1,000 ${ms(many[of])}`];
    return { name, value, unit: '× 10 services', target: '≤ 2', met: value <= 2, detail };
  };
  return [
    {
      ...{ name: 'start with 1,000 services, 10,000 revisions', value: Math.round(slowest), unit: 'ms' },
      ...{ target: '≤ 2,000', met: slowest <= 2000 },
      detail: [
        `with 10 services: ${few.starts.map(Math.round).join(', ')} ms; with 1,000: ${many.starts.map(Math.round).join(', ')} ms`,
      ],
    },
    {
      name: 'p95 of a page of 100 services',
      value: many.listMs,
      unit: 'ms',
      target: '≤ 150',
      met: many.listMs <= 150,
    },
    ratio('GetService among 1,000 services', 'getMs'),
    ratio('UpdateService among 1,000 services', 'updateMs'),
    {
      ...{ name: 'memory with 1,000 services', value: many.mib, unit: 'MiB', target: '≤ 350' },
      met: many.mib <= 350,
      detail: [`with 10 services ${few.mib} MiB`],
    },
  ];
}
