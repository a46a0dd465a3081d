import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoggingServiceV2Client } from '@google-cloud/logging-api';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { z } from 'zod';
import type { Claim } from './claim.ts';
import { sluice } from './process.ts';

const project = 'projects/demo-project';
const count = 1_000_000;
const services = 1_000;
const revisionsOfEach = 10;
const batch = 1_000;
const logs = ['stdout', 'stderr', 'requests', 'varlog%2Fsystem'];
const severities = ['DEFAULT', 'INFO', 'INFO', 'INFO', 'INFO', 'INFO', 'WARNING', 'ERROR'] as const;

/**
 * A million entries of ten thousand revisions in a local cloud of their own, beside what `prepare` puts into its home:
 * pages, memory, and a start with all of it.
 */
export async function benchLogging(prepare: (home: string) => Promise<void>): Promise<Claim[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const home = join(folder, 'home');
  try {
    await prepare(home);
    const written = await withClient(start(home).port, writeAll);
    sluice(folder, home, ['local', 'stop']);
    const again = start(home);
    const times = await withClient(again.port, readPages);
    const memory = await residentMegabytes(again.port);
    const slowest = Math.max(...times.map(({ p95 }) => p95));
    return [
      claim('p95 of a filtered page of 1,000 log entries', slowest, 'ms', 150, times.map(shown)),
      claim('memory with those and 1,000,000 log entries', memory, 'MB', 700, [written]),
      claim('start with those and 1,000,000 log entries', Math.round(again.wallMs), 'ms', 2_000),
    ];
  } finally {
    sluice(folder, home, ['local', 'stop']);
    await rm(folder, { recursive: true, force: true });
  }
}

function claim(name: string, value: number, unit: string, limit: number, detail: string[] = []): Claim {
  return { name, value, unit, target: `≤ ${limit.toLocaleString('en')}`, met: value <= limit, detail };
}

function start(home: string): { port: number; wallMs: number } {
  const { status, stdout, stderr, wallMs } = sluice(tmpdir(), home, ['local', 'start', '--json']);
  if (status !== 0) throw new Error(`sluice local start: ${stderr}${stdout}`);
  return { port: JSON.parse(stdout).port, wallMs };
}

async function withClient<T>(port: number, use: (client: LoggingServiceV2Client) => Promise<T>): Promise<T> {
  const client = new LoggingServiceV2Client({
    ...{ apiEndpoint: '127.0.0.1', port, projectId: 'demo-project' },
    sslCreds: credentials.createInsecure(),
    authClient: new PassThroughClient(),
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** Through the API, as any client would: one entry a millisecond, of every revision in turn. */
async function writeAll(client: LoggingServiceV2Client): Promise<string> {
  const began = performance.now();
  for (let first = 0; first < count; first += batch) {
    await client.writeLogEntries({
      entries: Array.from({ length: batch }, (_, index) => entryAt(first + index)),
    });
  }
  const seconds = (performance.now() - began) / 1000;
  return `written through WriteLogEntries, ${Math.round(count / seconds).toLocaleString('en')} entries/s`;
}

function entryAt(n: number) {
  const service = `service-${n % services}`;
  const revision = `${service}-${String(Math.floor(n / services) % revisionsOfEach).padStart(5, '0')}-abc`;
  const millis = 1_767_225_600_000 + n;
  return {
    logName: `${project}/logs/run.googleapis.com%2F${logs[n % 7] ?? 'stdout'}`,
    insertId: `${n.toString(16).padStart(12, '0')}abcdef`,
    timestamp: { seconds: Math.floor(millis / 1000), nanos: (millis % 1000) * 1_000_000 },
    severity: severities[n % 11] ?? 'INFO',
    resource: {
      type: 'cloud_run_revision',
      labels: {
        ...{ project_id: 'demo-project', location: 'europe-west1' },
        ...{ service_name: service, revision_name: revision, configuration_name: service },
      },
    },
    labels: { instanceId: '0087599d42b1f0ab1ef1d34bd20ab4ab' },
    ...(n % 3 === 0
      ? {
          jsonPayload: {
            fields: {
              message: { stringValue: `item ${n} is done` },
              status: { numberValue: 200 + (n % 4) * 100 },
            },
          },
        }
      : { textPayload: `GET /api/items/${n} answered in ${n % 97} ms` }),
  };
}

/** What people ask for; each has more than a page of matches. */
const filters: readonly string[] = [
  '',
  'severity>=ERROR',
  'resource.type="cloud_run_revision" AND resource.labels.service_name=("service-7" OR "service-8")',
  'resource.labels.location="europe-west1" AND severity=WARNING',
  `logName="${project}/logs/run.googleapis.com%2Frequests" AND resource.labels.service_name=~"^service-1..$"`,
  'resource.labels.location="europe-west1" AND (severity>=ERROR OR resource.labels.service_name="service-1")',
  'timestamp>="2026-01-01T00:08:00Z" AND timestamp<"2026-01-01T00:09:00Z"',
  'textPayload:"answered in 1"',
  'jsonPayload.status>=500',
];
const pagesOfEach = 30;

type Times = { filter: string; p95: number; pages: number; full: number };

/** From both ends on. A page that ended after ten thousand entries were looked at counts too: it may hold fewer. */
async function readPages(client: LoggingServiceV2Client): Promise<Times[]> {
  const times: Times[] = [];
  for (const filter of filters) {
    const walls: number[] = [];
    let full = 0;
    for (const orderBy of ['timestamp asc', 'timestamp desc']) {
      const request = { resourceNames: [project], filter, orderBy, pageSize: 1000 };
      let pageToken = '';
      for (let page = 0; page < pagesOfEach / 2; page += 1) {
        const began = performance.now();
        const [entries, , reply] = await client.listLogEntries(
          { ...request, pageToken },
          { autoPaginate: false, timeout: 10_000 },
        );
        const wall = performance.now() - began;
        pageToken = reply.nextPageToken ?? '';
        if (entries.length === 1000) full += 1;
        if (entries.length === 1000 || pageToken !== '') walls.push(wall);
        if (pageToken === '') break;
      }
    }
    times.push({ filter, p95: percentile95(walls), pages: walls.length, full });
  }
  return times;
}

const shown = ({ filter, p95, pages, full }: Times) =>
  `${p95.toFixed(0).padStart(4)} ms (${full} of ${pages} pages full) ${filter || '(none)'}`;

/** The sample that 95 % do not exceed, by nearest rank. */
function percentile95(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
}

async function residentMegabytes(port: number): Promise<number> {
  const health: unknown = await (await fetch(`http://127.0.0.1:${port}/healthz`)).json();
  const { pid } = z.object({ pid: z.int() }).parse(health);
  return Math.round(
    Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024,
  );
}
