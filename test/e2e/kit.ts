import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, expect } from 'vitest';
import { isMap, isSeq, parse, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { recordedEventSchema } from '../../src/release/event-schema.ts';
import { foldAll } from '../../src/release/state.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const bin = join(root, 'dist/src/main.js');

/** A folder with a service and a local cloud of its own; both are gone when the file's tests are over. */
export type Place = {
  /** The service's folder, where commands run. */
  dir: string;
  /** Its $SLUICE_HOME. */
  home: string;
  /** Runs a command to its end; whatever it was, no stack trace and no raw escape may be shown. */
  sluice(args: readonly string[], options?: Given): Promise<Ended>;
  /** Starts a command that the test wants to disturb. */
  start(args: readonly string[], options?: Given): Child;
  write(file: string, content: string): Promise<void>;
  /** Replaces sluice.yaml by what `edit` makes of it. */
  configure(edit: (config: Config) => Config): Promise<void>;
};

type Given = { env?: Record<string, string>; cwd?: string; input?: string };
export type Ended = {
  exitCode?: number | undefined;
  stdout: string;
  stderr: string;
};
export type Config = Record<string, unknown>;

/** Starts the built CLI; its failure is a result to look at, not an error of the test. */
function launch(
  at: { dir: string; home: string },
  args: readonly string[],
  { env = {}, cwd, input = '' }: Given,
) {
  const child = execa(process.execPath, [bin, ...args], {
    reject: false,
    stdin: 'pipe',
    timeout: 50_000,
    killSignal: 'SIGKILL',
    cwd: cwd ?? at.dir,
    // What colours the test runner's own output is no business of the command.
    env: { SLUICE_HOME: at.home, FORCE_COLOR: undefined, NO_COLOR: undefined, ...env },
  });
  child.stdin.end(input);
  return child;
}

export type Child = ReturnType<typeof launch>;

/** A Postgres for each place would take longer than what most tests are about; `sluice init` in local.test.ts has it. */
async function leaveOutDatabase(file: string): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'));
  const staging = ['environments', 'staging', 'services', 'chat'];
  for (const section of ['cloudSql', 'env']) document.deleteIn([...staging, section]);
  const checklist = document.getIn(['services', 'chat', 'checklist']);
  if (isSeq(checklist))
    checklist.items = checklist.items.filter((check) => !isMap(check) || check.get('id') !== 'database');
  await writeFile(file, document.toString({ lineWidth: 0 }));
}

/** `files`: instead of a copy of templates/chat, without its database. */
export async function makePlace(files?: Record<string, string>): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-e2e-'));
  const dir = join(folder, 'service');
  const home = join(folder, 'home');
  const running = new Set<Child>();
  const start: Place['start'] = (args, options = {}) => {
    const child = launch({ dir, home }, args, options);
    running.add(child);
    child.then(() => running.delete(child));
    return child;
  };
  const sluice: Place['sluice'] = async (args, options) => endOf(await start(args, options));
  const write: Place['write'] = async (file, content) => {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), content);
  };
  if (files) for (const [file, content] of Object.entries(files)) await write(file, content);
  else {
    // Whoever tries the sample where it lies leaves records there.
    const filter = (source: string): boolean => !/chat\/(\.sluice|node_modules)$/.test(source);
    await cp(join(root, 'templates/chat'), dir, { recursive: true, filter });
    await leaveOutDatabase(join(dir, 'sluice.yaml'));
  }

  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await start(['local', 'stop']);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  return {
    dir,
    home,
    sluice,
    start,
    write,
    async configure(edit) {
      const config = parse(await readFile(join(dir, 'sluice.yaml'), 'utf8'));
      await write('sluice.yaml', stringify(edit(config)));
    },
  };
}

const stackLine = /^ {4}at /m;
/** What a bug of ours would say: most of them are errors that somebody turns into a message. */
const bug = /Cannot read properties of|is not a function/;
const escapes = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** What every run must keep to, however it ended. */
export function endOf(ended: Ended): Ended {
  const { exitCode, stdout, stderr } = ended;
  expect(stderr).not.toMatch(stackLine);
  expect(stdout).not.toMatch(stackLine);
  expect(stdout).not.toMatch(escapes);
  expect(stderr).not.toMatch(escapes);
  expect(stderr).not.toMatch(bug);
  expect(stdout).not.toMatch(bug);
  return { exitCode, stdout, stderr };
}

const sections = z.record(z.string(), z.unknown());

/** The config with other sections for its one service. */
export function withService(config: Config, changes: Config): Config {
  const [[name, service]] = z
    .tuple([z.tuple([z.string(), sections])])
    .parse(Object.entries(sections.parse(config['services'])));
  return { ...config, services: { [name]: { ...service, ...changes } } };
}

/** The chat service with every wait short that is there for Google's sake. */
export function hurried(config: Config): Config {
  const { chat } = z.object({ chat: sections }).parse(config['services']);
  const checklist = z.array(sections).parse(chat['checklist']);
  return withService(config, {
    startup: { ...sections.parse(chat['startup']), quiet: '200ms', deadline: '20s' },
    rollout: { ...sections.parse(chat['rollout']), bake: '0s', answers: 2 },
    checklist: checklist.map((check) => (check['kind'] === 'logs' ? { ...check, window: '200ms' } : check)),
  });
}

/** The config with `change` made of each check of the chat service, and with further ones. */
export function withChecks(config: Config, change: (check: Config) => Config, ...more: Config[]): Config {
  const { chat } = z.object({ chat: z.object({ checklist: z.array(sections) }) }).parse(config['services']);
  return withService(config, { checklist: [...chat.checklist.map(change), ...more] });
}

/** The config with this said of an environment. */
export function withEnvironment(config: Config, name: string, changes: Config): Config {
  const environments = sections.parse(config['environments']);
  return {
    ...config,
    environments: { ...environments, [name]: { ...sections.parse(environments[name]), ...changes } },
  };
}

/** A service of one file that needs nothing, and as little waiting as can be. */
export function tinyService(server: string, startup: Config = {}): Record<string, string> {
  return {
    'package.json': JSON.stringify({
      name: 'tiny',
      version: '1.0.0',
      type: 'module',
      scripts: { start: 'node server.js' },
    }),
    'server.js': server,
    'sluice.yaml': stringify({
      services: {
        tiny: {
          container: { public: true },
          startup: { quiet: '300ms', deadline: '10s', ...startup },
          rollout: {
            bake: '0s',
            answers: 2,
            trafficDeadline: '4s',
            identity: { path: '/', field: 'revision' },
          },
        },
      },
      environments: { staging: { project: 'tiny-staging', region: 'us-central1' } },
    }),
  };
}

/** Answers with its revision; `also` runs once it listens. */
export const answering = (also = '') => `
import http from 'node:http';
const revision = process.env.K_REVISION;
http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ revision }));
}).listen(process.env.PORT, () => { ${also} });
process.on('SIGTERM', () => process.exit(0));
`;

const statusDocument = z.object({
  services: z.array(
    z.object({
      live: z
        .object({
          url: z.string(),
          revision: z.string(),
          actual: z.array(z.object({ revision: z.string(), percent: z.number() })),
        })
        .nullable(),
      unfinishedRelease: z.string().nullable(),
    }),
  ),
});

/** Who serves, as Cloud Run has it and as the service itself says. */
export async function whoServes(place: Place, path = '/health', environment = 'staging') {
  const { stdout } = await place.sluice(['status', environment, '--local', '--json']);
  const [service] = statusDocument.parse(JSON.parse(stdout)).services;
  if (!service?.live) return undefined;
  const answer = z
    .object({ revision: z.string() })
    .parse(await (await fetch(`${service.live.url}${path}`)).json());
  return { ...service.live, answered: answer.revision, unfinished: service.unfinishedRelease };
}

const serverRecord = z.object({ pid: z.int(), port: z.int() });

/** The local cloud as its own record has it. */
async function readServer(place: Place) {
  return serverRecord.parse(JSON.parse(await readFile(join(place.home, 'server.json'), 'utf8')));
}

export const cloudPid = async (place: Place): Promise<number> => (await readServer(place)).pid;
export const cloudPort = async (place: Place): Promise<number> => (await readServer(place)).port;

/** What the ledger holds of every release, oldest first. A line that cannot be read fails the test. */
export async function ledgerOf(place: Place) {
  const releases = join(place.dir, '.sluice/ledger/releases');
  const ids = (await readdir(releases)).sort();
  return Promise.all(
    ids.map(async (id) => {
      const segments = (await readdir(join(releases, id))).filter((name) => name.endsWith('.ndjson')).sort();
      const texts = await Promise.all(segments.map((name) => readFile(join(releases, id, name), 'utf8')));
      const lines = texts
        .join('')
        .split('\n')
        .filter((line) => line !== '');
      const events = lines.map((line) => recordedEventSchema.parse(JSON.parse(line)));
      return { id, events, state: foldAll(id, events) };
    }),
  );
}
