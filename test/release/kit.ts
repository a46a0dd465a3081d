import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { connectLocal } from '../../src/cloud/connect.ts';
import type { Call, Cloud, LiveService, ServiceEdit } from '../../src/cloud/ports/index.ts';
import type { HttpCheck, LogsCheck, ManualCheck } from '../../src/config/check-spec.ts';
import type { Target } from '../../src/config/target.ts';
import { openGit } from '../../src/git.ts';
import { folderStore } from '../../src/ledger/folder-store.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { openLocks } from '../../src/ledger/lock.ts';
import type { ReleaseRecord } from '../../src/ledger/record.ts';
import { openStatements, type Statements } from '../../src/ledger/statements.ts';
import type { ImageStore } from '../../src/local/contracts.ts';
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from '../../src/local/server.ts';
import { type CheckRequest, check } from '../../src/release/check.ts';
import { deploy } from '../../src/release/deploy.ts';
import type { ReleaseEvent, Stamped } from '../../src/release/events.ts';
import { resume } from '../../src/release/resume.ts';
import { type RollbackRequest, rollback } from '../../src/release/rollback.ts';
import type { RunbookDeps } from '../../src/release/runbook.ts';
import { foldAll, type ReleaseState, type ServiceState } from '../../src/release/state.ts';
import { unpin } from '../../src/release/unpin.ts';
import { defaultFormats } from '../../src/startup/presets.ts';

/** A local cloud in this process, and who deploys to it. */
export type Stand = {
  cloud: LocalCloud;
  connection: Cloud;
  /** What there is to run; a cloud that is started again needs it too. */
  images: ImageStore;
  /** Where tests write their sources. */
  folder: string;
  subject(service: string, patch?: TargetPatch): Subject;
  close(): Promise<void>;
};

export type TargetPatch = Partial<Omit<Target, 'startup' | 'rollout' | 'container'>> & {
  startup?: Partial<Target['startup']>;
  rollout?: Partial<Target['rollout']>;
  container?: Partial<Target['container']>;
};

/** What a test needs of one finished deploy. */
export type Outcome = {
  id: string;
  exitCode: number | undefined;
  rolledBack: boolean | undefined;
  verdict: string | undefined;
  state: ReleaseState;
  service: ServiceState;
  /** The diagnosis in one text. */
  told: string;
  events: Stamped[];
  record: ReleaseRecord;
};

type DeployTry = {
  patch?: TargetPatch;
  /** Further services of the same release. */
  beside?: Subject[];
  takeOver?: boolean;
  signal?: AbortSignal;
  on?: (event: ReleaseEvent) => void;
  deps?: Partial<RunbookDeps>;
};

type RollbackTry = Omit<DeployTry, 'takeOver'> & Partial<Omit<RollbackRequest, 'targets' | 'command'>>;

type CheckTry = Omit<DeployTry, 'takeOver' | 'beside'> & Partial<Pick<CheckRequest, 'stage' | 'only'>>;

/** One service of its own project folder: its target, its ledger, and what is known of it. */
export type Subject = {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly ledgerFolder: string;
  deploy(attempt?: DeployTry): Promise<Outcome>;
  /** The checklist against what is live. */
  check(attempt?: CheckTry): Promise<Outcome>;
  readonly statements: Statements;
  /** Goes on with a release of this service whose process died. */
  resume(id: string, attempt?: DeployTry): Promise<Outcome>;
  rollback(attempt?: RollbackTry): Promise<Outcome>;
  unpin(): Promise<Outcome>;
  live(): Promise<LiveService>;
  /** A write by somebody else. */
  meddle(edit: (live: LiveService) => ServiceEdit): Promise<void>;
  revisions(): Promise<string[]>;
  /** What the service's URL answers: the revision's name, or the status when it is not a 200. */
  serves(): Promise<string | number>;
};

const project = 'demo';
const region = 'europe-west1';

export const call: Call = { signal: new AbortController().signal };

/** A service whose environment says how it behaves. It answers with its revision's name. */
const program = `
const http = require('node:http');
const { START = 'good', FAILS = '', SAYS = '', GONE_IF, ANONYMOUS, CHATTY, PORT, K_REVISION, E2E_KEY } = process.env;
for (const line of SAYS.split('|')) if (line) console.log(line);
if (GONE_IF && require('node:fs').existsSync(GONE_IF)) process.exit(5);
if (START === 'exit-0') process.exit(0);
if (START === 'exit-3') process.exit(3);
if (START === 'import-error') require('./database-driver');
process.on('SIGTERM', () => process.exit(0));
const server = http.createServer((request, response) => {
  if (CHATTY) for (let line = 0; line < 300; line++) console.log('phase=REQUEST seconds=0.' + line);
  if (request.url === '/die') process.exit(4);
  if (request.url === '/say') console.log('E2E_KEY is ' + E2E_KEY + ', asked with ' + request.headers['x-e2e-key']);
  response.statusCode = FAILS.split(' ').includes(request.url) ? 500 : 200;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ revision: ANONYMOUS ? '' : K_REVISION, path: request.url }));
});
if (START === 'silent') setInterval(() => {}, 1000);
else server.listen(PORT, () => {
  console.log('Server listening on port ' + PORT);
  if (START === 'exit-after-bind') setTimeout(() => process.exit(3), 200);
});
`;

const image = 'images/app@sha256:good';

/** `images/NAME@sha256:ANY` is the program above; anything else is no image. */
function images(folder: string): ImageStore {
  const root = join(folder, 'image');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'server.js'), program);
  return {
    resolve: (reference) => {
      const digest = /^images\/\w+@(sha256:\w+)$/.exec(reference)?.[1];
      return digest ? { digest, root, command: [process.execPath, 'server.js'], env: {} } : undefined;
    },
  };
}

/** With `builds`, images come from the local Cloud Build; otherwise there is the one program. */
export async function openStand(
  options: Partial<LocalCloudOptions> & { builds?: boolean } = {},
): Promise<Stand> {
  const { builds, ...rest } = options;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-runbook-'));
  const programs = images(folder);
  const cloud = await startLocalCloud({
    home: join(folder, 'home'),
    trafficDelayMs: 20,
    ...(builds ? {} : { images: programs }),
    ...rest,
  });
  const connection = await connectLocal({ port: cloud.port, project });
  return {
    cloud,
    connection,
    folder,
    images: programs,
    subject: (service, patch = {}) => subject({ folder, connection, service, patch }),
    async close() {
      await connection.close();
      await cloud.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export function httpCheck(id: string, stage: 'candidate' | 'post', path = `/${id}`): HttpCheck {
  return {
    ...{ id, kind: 'http', method: 'GET', path, headers: {}, attempts: 1 },
    ...{ stages: [stage], required: true, successes: 1, timeoutSeconds: 5 },
    expect: { status: [200], json: {}, headers: {} },
  };
}

export function logsCheck(id: string, absent: string[]): LogsCheck {
  return {
    ...{ id, kind: 'logs', absent, present: [], regressions: false, windowSeconds: 0.3 },
    ...{ stages: ['candidate'], required: true, successes: 1, timeoutSeconds: 5 },
  };
}

function makeTarget(service: string, sourceDir: string, patch: TargetPatch): Target {
  const { startup, rollout, container, ...rest } = patch;
  return {
    key: service,
    environment: 'staging',
    ref: { project, region, service },
    cloud: 'local',
    sourceDir,
    build: { repository: 'images/app', image, timeoutSeconds: 60 },
    env: {},
    secrets: {},
    cloudSql: [],
    e2e: { env: {}, headers: {} },
    checklist: [httpCheck('candidate', 'candidate'), httpCheck('post', 'post')],
    ...rest,
    container: {
      ...{ port: 8080, cpu: '1', memory: '512Mi', concurrency: 80, timeoutSeconds: 60 },
      ...{ minInstances: 0, maxInstances: 3, cpuBoost: false, public: true, serviceAccount: '', labels: {} },
      ...container,
    },
    startup: {
      formats: defaultFormats,
      phases: [],
      systems: { required: [], optional: [] },
      budgets: { phases: {} },
      quietSeconds: 0.2,
      deadlineSeconds: 20,
      ...startup,
    },
    rollout: {
      ...{ steps: [100], bakeSeconds: 0.1, answers: 2, trafficDeadlineSeconds: 10 },
      identity: { path: '/health', field: 'revision' },
      ...rollout,
    },
  };
}

function merge(base: TargetPatch, over: TargetPatch): TargetPatch {
  const { startup, rollout, container } = base;
  return {
    ...base,
    ...over,
    startup: { ...startup, ...over.startup },
    rollout: { ...rollout, ...over.rollout },
    container: { ...container, ...over.container },
  };
}

type Given = { folder: string; connection: Cloud; service: string; patch: TargetPatch };

function subject({ folder, connection, service, patch }: Given): Subject {
  const ledgerFolder = join(folder, service, 'ledger');
  const sourceDir = join(folder, service, 'source');
  mkdirSync(sourceDir, { recursive: true });
  const store = folderStore(ledgerFolder);
  const ledger = openLedger(store, { now: () => new Date(), random: Math.random });
  const statements = openStatements(store);
  const locks = openLocks(store, { now: () => new Date(), host: 'here', pid: process.pid });
  const target = makeTarget(service, sourceDir, patch);

  const live = async (): Promise<LiveService> => {
    const found = await connection.run.readService(target.ref, call);
    if (!found) throw new Error(`${service} does not exist`);
    return found;
  };

  /** Conducts a runbook and gathers what a test needs of it. */
  const conduct = async (
    { patch: over = {}, beside = [], signal, on, deps }: Omit<DeployTry, 'takeOver'>,
    start: (targets: Target[], deps: RunbookDeps) => Promise<ReleaseState>,
  ): Promise<Outcome> => {
    const events: Stamped[] = [];
    const id = deps?.release ?? ledger.newId('staging');
    const state = await start(
      [makeTarget(service, sourceDir, merge(patch, over)), ...beside.map((other) => other.target)],
      {
        ...{ cloud: connection, ledger, locks, statements, release: id, version: '0.0.0' },
        git: openGit(folder),
        actor: { who: 'anna@example.com', commit: null, dirty: false },
        listeners: [
          (event) => {
            events.push(event);
            on?.(event.event);
          },
        ],
        signal: signal ?? new AbortController().signal,
        now: Date.now,
        track: (promise) => promise,
        meanwhile: () => undefined,
        ...deps,
      },
    );
    const record = await ledger.read(id);
    const own = state.services.get(service);
    if (!record || !own) throw new Error(`release ${id} left no record of ${service}`);
    return {
      ...{ id, state, events, record, service: own },
      exitCode: state.finished?.exitCode,
      rolledBack: state.finished?.rolledBack,
      verdict: state.finished?.verdict.decision,
      told: JSON.stringify([own.finished?.diagnosis, own.preflight]),
    };
  };

  const environment = 'staging';
  return {
    target,
    ledger,
    ledgerFolder,
    statements,
    live,
    deploy: ({ takeOver = false, ...attempt } = {}) =>
      conduct(attempt, (targets, deps) =>
        deploy({ environment, targets, takeOverTraffic: takeOver, command: 'sluice deploy staging' }, deps),
      ),
    check: ({ stage = 'post', only, ...attempt } = {}) =>
      conduct(attempt, (targets, deps) =>
        check({ environment, targets, stage, only, command: 'sluice check staging' }, deps),
      ),
    resume: (id, attempt = {}) =>
      conduct({ ...attempt, deps: { ...attempt.deps, release: id } }, (targets, deps) => {
        const resumes = `sluice resume ${id}`;
        return resume({ environment, targets, command: 'sluice deploy staging', resumes }, deps);
      }),
    rollback({ to, now = false, reason = 'it is broken', ...attempt } = {}) {
      const { takeOverTraffic = false, acceptSchemaRisk = false } = attempt;
      const wish = { to, now, reason, takeOverTraffic, acceptSchemaRisk };
      return conduct(attempt, (targets, deps) =>
        rollback({ environment, targets, ...wish, command: 'sluice rollback staging' }, deps),
      );
    },
    unpin: () =>
      conduct({}, (targets, deps) => unpin({ environment, targets, command: 'sluice unpin staging' }, deps)),
    async meddle(edit) {
      const now = await live();
      const operation = await connection.run.updateService(now, edit(now), call);
      await connection.run.awaitOperation(operation, call);
    },
    async revisions() {
      const found = await connection.run.listRevisions(target.ref, 100, call);
      return found.map(({ name }) => name).reverse();
    },
    async serves() {
      const { uri } = await live();
      return answer(uri);
    },
  };
}

/** The revision that answers, or the status when it is not a 200. */
export async function answer(url: string): Promise<string | number> {
  const response = await fetch(new URL('/health', url));
  if (response.status !== 200) return response.status;
  const { revision } = (await response.json()) as { revision: string };
  return revision;
}

export function manualCheck(id: string): ManualCheck {
  return {
    ...{ id, kind: 'manual', question: `Is ${id} right?` },
    ...{ stages: ['post'], required: true, successes: 1, timeoutSeconds: 5 },
  };
}

/** All traffic to one revision, as anybody may write it; tags stay. */
export function allTo(revision: string) {
  return (live: LiveService): ServiceEdit => ({
    traffic: [
      { revision, percent: 100 },
      ...live.traffic.flatMap(({ tag, revision: tagged }) =>
        tag ? [{ revision: tagged, tag, percent: 0 }] : [],
      ),
    ],
  });
}

/** What holds of every release that has ended, whatever it came to. */
export function soundness({ state, record, verdict, exitCode }: Outcome): string[] {
  const folded = foldAll(state.id, record.events);
  const durable = record.events.map(({ seq }) => seq);
  const intents = record.events.filter(({ event }) => event.type.endsWith('.intended'));
  const problems: [boolean, string][] = [
    [
      record.intact && record.problems.length === 0,
      `the record is damaged: ${JSON.stringify(record.problems)}`,
    ],
    [sameJson(folded, state), 'the record folds to another state than the live one'],
    [durable.every((seq, at) => at === 0 || seq > (durable[at - 1] ?? 0)), 'the record is out of order'],
    [record.events.at(-1)?.event.type === 'release.finished', 'the record has no end'],
    [
      // A deploy that waits for a person has moved the traffic, and works.
      verdict === 'pending' ? exitCode === 0 || exitCode === 16 : (exitCode === 0) === (verdict === 'ready'),
      `exit code ${exitCode} with a verdict ${JSON.stringify(state.finished?.verdict.conditions)}`,
    ],
    [!JSON.stringify(intents).includes('LATEST'), 'LATEST was written'],
  ];
  return problems.flatMap(([good, why]) => (good ? [] : [why]));
}

function sameJson(a: ReleaseState, b: ReleaseState): boolean {
  const plain = (state: ReleaseState): unknown =>
    JSON.parse(JSON.stringify({ ...state, services: Object.fromEntries(state.services) }));
  return isDeepStrictEqual(plain(a), plain(b));
}
