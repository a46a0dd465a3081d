import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, type Options, type ResultPromise } from 'execa';
import { afterAll, expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

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
  start(args: readonly string[], options?: Given): ResultPromise<typeof fixed>;
  write(file: string, content: string): Promise<void>;
  /** Replaces sluice.yaml by what `edit` makes of it. */
  configure(edit: (config: Config) => Config): Promise<void>;
};

type Given = { env?: Record<string, string>; cwd?: string; input?: string };
export type Ended = {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
  signal?: string | undefined;
};
export type Config = Record<string, unknown>;

const fixed = {
  reject: false,
  stdin: 'ignore',
  timeout: 50_000,
  killSignal: 'SIGKILL',
  maxBuffer: 50_000_000,
} as const satisfies Options;

/** `files`: instead of a copy of templates/chat. */
export async function makePlace(files?: Record<string, string>): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-e2e-'));
  const dir = join(folder, 'service');
  const home = join(folder, 'home');
  const running = new Set<ResultPromise<typeof fixed>>();
  const start: Place['start'] = (args, { env = {}, cwd = dir, input } = {}) => {
    const child = execa(process.execPath, [bin, ...args], {
      ...fixed,
      cwd,
      // What colours the test runner's own output is no business of the command.
      env: { SLUICE_HOME: home, FORCE_COLOR: undefined, NO_COLOR: undefined, ...env },
      ...(input === undefined ? {} : { stdin: 'pipe', input }),
    }) as ResultPromise<typeof fixed>;
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
  else await cp(join(root, 'templates/chat'), dir, { recursive: true });

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
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const escapes = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** What every run must keep to, however it ended. */
export function endOf(ended: Ended): Ended {
  const { exitCode, stdout, stderr, signal } = ended;
  expect(stderr).not.toMatch(stackLine);
  expect(stdout).not.toMatch(stackLine);
  expect(stdout).not.toMatch(escapes);
  expect(stderr).not.toMatch(escapes);
  return { exitCode, stdout, stderr, signal };
}

/** The chat service with every wait short that is there for Google's sake. */
export function hurried(config: Config): Config {
  const [service] = Object.values(
    z.record(z.string(), z.record(z.string(), z.unknown())).parse(config['services']),
  );
  const part = (name: string) => z.record(z.string(), z.unknown()).parse(service?.[name] ?? {});
  const checklist = z.array(z.record(z.string(), z.unknown())).parse(service?.['checklist'] ?? []);
  return {
    ...config,
    services: {
      chat: {
        ...service,
        startup: { ...part('startup'), quiet: '200ms', deadline: '20s' },
        rollout: { ...part('rollout'), bake: '0s', answers: 2 },
        checklist: checklist.map((check) =>
          check['kind'] === 'logs' ? { ...check, window: '200ms' } : check,
        ),
      },
    },
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
          rollout: { bake: '0s', answers: 2, identity: { path: '/', field: 'revision' } },
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
export async function whoServes(place: Place, path = '/health') {
  const { stdout } = await place.sluice(['status', 'staging', '--local', '--json']);
  const [service] = statusDocument.parse(JSON.parse(stdout)).services;
  if (!service?.live) return undefined;
  const answer = z
    .object({ revision: z.string() })
    .parse(await (await fetch(`${service.live.url}${path}`)).json());
  return { ...service.live, answered: answer.revision, unfinished: service.unfinishedRelease };
}

/** The pid of the local cloud, as its record has it. */
export async function cloudPid(place: Place): Promise<number> {
  const record = await readFile(join(place.home, 'server.json'), 'utf8');
  return z.object({ pid: z.int() }).parse(JSON.parse(record)).pid;
}

/** Every release's events as the ledger keeps them, oldest release first. */
export async function ledgerFiles(place: Place): Promise<string[]> {
  const ledger = join(place.dir, '.sluice/ledger');
  const names = await readdir(ledger, { recursive: true });
  return names.filter((name) => name.endsWith('.ndjson')).sort();
}
