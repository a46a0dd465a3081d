import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordedStamp } from './build-stamp.ts';
import { connectGoogle, connectLocal } from './cloud/connect.ts';
import type { Cloud } from './cloud/ports/index.ts';
import { Waiting } from './cloud/waiting.ts';
import { type EnvironmentSpec, resolveEnvironment } from './config/environment.ts';
import { loadConfig } from './config/load.ts';
import { resolveTarget } from './config/resolve.ts';
import type { Target } from './config/target.ts';
import { SluiceError } from './errors.ts';
import { openGit } from './git.ts';
import { folderStore } from './ledger/folder-store.ts';
import { type Ledger, openLedger } from './ledger/ledger.ts';
import { type Locks, openLocks } from './ledger/lock.ts';
import { openStatements, type Statements } from './ledger/statements.ts';
import { hasEndedHere, thisHost } from './ledger/this-process.ts';
import { defaultHome } from './local/home.ts';
import { ensureLocalCloud } from './local/launcher.ts';

/** What a command works with: the targets it names, the cloud they live on, the ledger beside sluice.yaml. */
export type Workbench = {
  targets: Target[];
  environment: EnvironmentSpec;
  cloud: Cloud;
  ledger: Ledger;
  locks: Locks;
  /** Signatures and approvals. */
  statements: Statements;
  waiting: Waiting;
  close(): Promise<void>;
};

export type WorkbenchOptions = {
  dir: string;
  config?: string | undefined;
  environment: string;
  service?: string | undefined;
  local: boolean;
  /** Variables for one deploy. */
  set?: Record<string, string>;
  signal: AbortSignal;
  /** Where the time that is waited is booked; by default a book of its own. */
  waiting?: Waiting;
};

type Where = Pick<WorkbenchOptions, 'dir' | 'config'>;

const configAt = ({ dir, config }: Where) =>
  loadConfig({ dir, cwd: process.cwd(), env: process.env, ...(config ? { file: config } : {}) });

export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const { environment, service, local, set, signal } = options;
  const config = await configAt(options);
  const targets = resolveTarget(config, {
    environment,
    local,
    ...(service ? { service } : {}),
    ...(set ? { set } : {}),
  });
  const { waiting = new Waiting() } = options;
  const cloud = await connect(targets, signal, waiting);
  const store = folderStore(join(config.root, '.sluice', 'ledger'));
  const now = (): Date => new Date();
  return {
    targets,
    environment: resolveEnvironment(config, environment),
    cloud,
    waiting,
    ledger: openLedger(store, { now, random: Math.random }),
    locks: openLocks(store, { now, host: thisHost(), pid: process.pid, hasEnded: hasEndedHere }),
    statements: openStatements(store),
    close: () => cloud.close(),
  };
}

/** The records beside sluice.yaml, without a cloud. */
export async function openRecords(where: Where): Promise<Ledger> {
  const { root } = await configAt(where);
  const store = folderStore(join(root, '.sluice', 'ledger'));
  return openLedger(store, { now: () => new Date(), random: Math.random });
}

/** What a deploy is made from: the sources of its services, and the config. */
export async function sourcesOf(
  options: Omit<WorkbenchOptions, 'signal'>,
): Promise<{ folders: string[]; files: string[] }> {
  const config = await configAt(options);
  const targets = resolveTarget(config, {
    environment: options.environment,
    local: options.local,
    ...(options.service ? { service: options.service } : {}),
  });
  return { folders: targets.map(({ sourceDir }) => sourceDir), files: [config.file] };
}

async function connect(targets: Target[], signal: AbortSignal, waiting: Waiting): Promise<Cloud> {
  const [first] = targets;
  if (!first) throw new SluiceError('usage', { what: 'The environment has no services.' });
  const { project } = first.ref;
  if (first.cloud === 'google') return connectGoogle({ project, signal, waiting });
  const { port } = await waiting.track(startLocalCloud());
  return connectLocal({ port, project, waiting });
}

const root = fileURLToPath(new URL('../../', import.meta.url));

export function startLocalCloud(): Promise<{ port: number; started: boolean }> {
  return ensureLocalCloud({
    home: defaultHome(),
    stamp: recordedStamp(root),
    entry: fileURLToPath(new URL('./local/main.js', import.meta.url)),
  });
}

export type Actor = { who: string; commit: string | null; dirty: boolean };

/** Who deploys what, as git tells; outside a repository only the login name is known. */
export async function identifyActor(dir: string): Promise<Actor> {
  const git = openGit(dir);
  const [email, commit, changes] = await Promise.all([
    git.ask('config', 'user.email'),
    git.ask('rev-parse', 'HEAD'),
    git.ask('status', '--porcelain', '--untracked-files=normal', '--', '.'),
  ]);
  return { who: email || userInfo().username, commit, dirty: changes !== null && changes !== '' };
}

/** The account of the cloud's credentials; '' when they do not tell in time: nothing fails for want of it. */
export async function identifyAccount(cloud: Cloud, withinMs: number): Promise<string> {
  const signal = AbortSignal.timeout(withinMs);
  return cloud.identity.whoami({ signal }).catch(() => '');
}
