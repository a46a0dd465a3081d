import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { recordedStamp } from './build-stamp.ts';
import { connectGoogle, connectLocal } from './cloud/connect.ts';
import type { Cloud } from './cloud/ports/index.ts';
import { Waiting } from './cloud/waiting.ts';
import { type EnvironmentSpec, resolveEnvironment } from './config/environment.ts';
import { resolveLedger } from './config/ledger-place.ts';
import { type Config, loadConfig } from './config/load.ts';
import { resolveTarget } from './config/resolve.ts';
import type { Target } from './config/target.ts';
import { SluiceError } from './errors.ts';
import { openGit } from './git.ts';
import { type BucketAccess, type LedgerBench, ledgerBench, openStore } from './ledger-bench.ts';
import { defaultHome } from './local/home.ts';
import { ensureLocalCloud } from './local/launcher.ts';

/** What a command works with: the targets it names, the cloud they live on, the ledger that sluice.yaml names. */
export type Workbench = LedgerBench & {
  targets: Target[];
  environment: EnvironmentSpec;
  cloud: Cloud;
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
  const config = await configAt(options);
  const targets = targetsOf(config, options);
  const environment = resolveEnvironment(config, options.environment);
  const { waiting = new Waiting() } = options;
  const { cloud, ...access } = await connect(targets, options.signal, waiting);
  const store = await openStore(resolveLedger(config), async () => ({ cloud, ...access }));
  return { targets, environment, cloud, waiting, ...ledgerBench(store), close: () => cloud.close() };
}

/** What is recorded, with the kind of cloud that is asked about. */
export type Records = LedgerBench & { kind: Cloud['kind']; close(): Promise<void> };

/** The records alone: a cloud is connected to only when they lie in a bucket, by default that of the first environment. */
export async function openRecords(
  options: Omit<WorkbenchOptions, 'environment' | 'set'> & { environment?: string | undefined },
): Promise<Records> {
  const config = await configAt(options);
  const environment = options.environment ?? config.environments[0] ?? '';
  const targets = () => targetsOf(config, { ...options, environment });
  let close = async (): Promise<void> => undefined;
  const store = await openStore(resolveLedger(config), async () => {
    const access = await connect(targets(), options.signal, new Waiting());
    close = () => access.cloud.close();
    return access;
  });
  // Without an environment nobody asks about a target, and its placeholders need no values.
  const kind = options.environment === undefined ? undefined : targets()[0]?.cloud;
  return { ...ledgerBench(store), kind: kind ?? 'google', close: () => close() };
}

function targetsOf(config: Config, options: Omit<WorkbenchOptions, 'signal'>): Target[] {
  const { environment, service, local, set } = options;
  return resolveTarget(config, {
    environment,
    local,
    ...(service ? { service } : {}),
    ...(set ? { set } : {}),
  });
}

/** What a deploy is made from: the sources of its services, and the config. */
export async function sourcesOf(
  options: Omit<WorkbenchOptions, 'signal' | 'set'>,
): Promise<{ folders: string[]; files: string[] }> {
  const config = await configAt(options);
  const targets = targetsOf(config, options);
  return { folders: targets.map(({ sourceDir }) => sourceDir), files: [config.file] };
}

async function connect(targets: Target[], signal: AbortSignal, waiting: Waiting): Promise<BucketAccess> {
  const [first] = targets;
  if (!first) throw new SluiceError('usage', { what: 'The environment has no services.' });
  const { project, region } = first.ref;
  return { cloud: await connectTo(first.cloud, { project, signal, waiting }), project, region };
}

/** A cloud, by its kind; the local one is started on demand. */
export async function connectTo(
  kind: Cloud['kind'],
  options: { project: string; signal: AbortSignal; waiting: Waiting },
): Promise<Cloud> {
  const { project, waiting } = options;
  if (kind === 'google') return connectGoogle(options);
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
  const [email, status] = await Promise.all([git.ask('config', 'user.email'), git.status()]);
  return { who: email || userInfo().username, ...status };
}

/** The account of the cloud's credentials; '' when they do not tell in time: nothing fails for want of it. */
export async function identifyAccount(cloud: Cloud, withinMs: number): Promise<string> {
  const signal = AbortSignal.timeout(withinMs);
  return cloud.identity.whoami({ signal }).catch(() => '');
}
