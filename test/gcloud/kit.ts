import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import stripAnsi from 'strip-ansi';
import { afterAll, beforeAll, describe } from 'vitest';
import { z } from 'zod';
import { openImages } from '../../src/local/build/image-store.ts';
import { gcloudEnv } from '../../src/local/gcloud-env.ts';
import { openHome } from '../../src/local/home.ts';
import { openJournal } from '../../src/local/journal/journal.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const bin = path.join(root, 'dist/src/main.js');

export const project = 'demo-project';
export const region = 'europe-west1';

type Ended = { exitCode: number; stdout: string; stderr: string };
type Run = Given & { cwd?: string };
/** Standard input, and variables beside those of `sluice local env`. */
type Given = { input?: string; env?: Record<string, string> };

/** A local cloud as its own process, with a home of its own, and Google's gcloud pointed at it. */
export type Judged = {
  port: number;
  home: string;
  /** A folder for the test's files, where the commands run. */
  dir: string;
  /** Runs `gcloud ARGS` to its end; a failure is a result to look at. */
  gcloud(args: readonly string[], options?: Given): Promise<Ended>;
  /** What `gcloud ARGS` prints; throws with everything that it said when it fails. */
  said(args: readonly string[], options?: Given): Promise<string>;
  /** `said` with `--format=json`, parsed. */
  told(args: readonly string[]): Promise<unknown>;
  /** The gcloud commands that were run, without their arguments. */
  typed(): readonly string[];
  sluice(args: readonly string[], options?: { cwd?: string }): Promise<Ended>;
  /** Writes a file under `dir` and answers its path. */
  write(file: string, content: string): Promise<string>;
};

/**
 * A Node program as an image: `program` is its whole `index.js`. They are laid into the home before the local cloud
 * starts, so that a judge of Run needs no build; names are `REPOSITORY:TAG`.
 */
export type Images = Readonly<Record<string, string>>;

function gcloudVersion(): string | undefined {
  const { stdout, exitCode } = execaSync('gcloud', ['version'], { reject: false });
  return exitCode === 0 ? /Google Cloud SDK (\S+)/.exec(stdout)?.[1] : undefined;
}

const version = gcloudVersion();

/** Tests that need gcloud: where it is not installed they are skipped, and the run says so. */
export function judge(name: string, images: Images, tests: (judged: () => Judged) => void): void {
  if (version === undefined) console.warn(`skipped: ${name} (gcloud is not installed)`);
  describe.skipIf(version === undefined)(`${name}, judged by gcloud ${version}`, () => {
    let judged: Judged | undefined;
    let folder: string | undefined;
    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'sluice-judge-'));
      judged = await startJudged(folder, images);
    });
    afterAll(async () => {
      await judged?.sluice(['local', 'stop']);
      console.log(told(name, judged?.typed() ?? []));
      if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    });
    tests(() => {
      if (!judged) throw new Error('the local cloud has not started');
      return judged;
    });
  });
}

/** `run services update-traffic`: the groups and the verb, which are plain words before any argument. */
function commandOf(args: readonly string[]): string {
  const words = ['run', 'builds', 'logging', 'storage', 'secrets', 'sql', 'iam', 'auth', 'beta'];
  const groups = [
    'services',
    'revisions',
    'logs',
    'buckets',
    'objects',
    'versions',
    'instances',
    'users',
    'databases',
  ];
  const end = args.findIndex((arg) => ![...words, ...groups, 'operations', 'service-accounts'].includes(arg));
  return args.slice(0, end < 0 ? undefined : end + 1).join(' ');
}

/** How often each command was run: the judge's count. */
function told(name: string, typed: readonly string[]): string {
  const kinds = [...new Set(typed)].sort();
  const counts = kinds.map((kind) => `${typed.filter((each) => each === kind).length} × gcloud ${kind}`);
  return [`${name}: ${typed.length} gcloud commands of ${kinds.length} kinds`, ...counts].join('\n  ');
}

async function startJudged(folder: string, images: Images): Promise<Judged> {
  const home = path.join(folder, 'home');
  const dir = path.join(folder, 'dir');
  await mkdir(dir);
  await layImages(home, path.join(folder, 'image'), images);

  async function run(file: string, args: readonly string[], { env = {}, ...options }: Run): Promise<Ended> {
    const ended = await execa(file, args, {
      ...{ reject: false, cwd: dir, timeout: 170_000, ...options },
      env: {
        ...{ SLUICE_HOME: home, FORCE_COLOR: undefined },
        ...gcloudEnv({ home, port, project, region }),
        ...env,
      },
    });
    const { stdout, stderr, exitCode = -1 } = ended;
    // gcloud writes in bold whatever it writes to.
    return { stdout: stripAnsi(String(stdout)), stderr: stripAnsi(String(stderr)), exitCode };
  }

  let port = 0;
  const started = await run(process.execPath, [bin, 'local', 'start', '--json'], {});
  if (started.exitCode !== 0) throw new Error(`sluice local start: ${started.stdout}${started.stderr}`);
  port = z.object({ port: z.int() }).parse(JSON.parse(started.stdout)).port;

  const typed: string[] = [];
  const gcloud: Judged['gcloud'] = (args, options = {}) => {
    typed.push(commandOf(args));
    return run('gcloud', args, options);
  };
  const said: Judged['said'] = async (args, options) => {
    const { exitCode, stdout, stderr } = await gcloud(args, options);
    if (exitCode !== 0) throw new Error(`gcloud ${args.join(' ')}: ${exitCode}\n${stdout}\n${stderr}`);
    return stdout;
  };
  return {
    ...{ port, home, dir, gcloud, said, typed: () => typed },
    told: async (args) => JSON.parse(await said([...args, '--format=json'])),
    sluice: (args, options = {}) => run(process.execPath, [bin, ...args], options),
    async write(file, content) {
      const full = path.join(dir, file);
      await mkdir(path.dirname(full), { recursive: true });
      await writeFile(full, content);
      return full;
    },
  };
}

/** A sluice.yaml whose `staging` is the judge's project: one service of an image that is there. */
export function configOf(service: string, image: string): string {
  return `
services:
  ${service}:
    build: { image: ${image} }
    container: { public: true }
    startup: { deadline: 20s, quiet: 100ms }
    rollout: { bake: 0s, answers: 2, identity: { path: /, field: revision } }
    checklist:
      - { id: root, kind: http, path: / }
environments:
  staging: { project: ${project}, region: ${region} }
`;
}

async function layImages(home: string, staging: string, images: Images): Promise<void> {
  openHome(home);
  const journal = openJournal({ home });
  const store = openImages({ home, journal });
  for (const [reference, program] of Object.entries(images)) {
    await mkdir(staging);
    await writeFile(path.join(staging, 'index.js'), program);
    const { digest } = await store.add(staging, { command: [process.execPath, 'index.js'], env: {} });
    await store.push(reference, digest);
    // The store takes the folder over only when it holds no such image yet.
    await rm(staging, { recursive: true, force: true });
  }
  await journal.stop();
}
