import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chown,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { lineSplitter } from '../../runtime/lines.ts';
import { recordProcess, signalGroup } from '../../runtime/process-records.ts';
import { type Admin, adminOf, platformRole, setUp } from './admin.ts';
import type { Postgres } from './binaries.ts';
import type { PostgresLauncher } from './launcher.ts';

export type ClusterHost = { postgres: Postgres; launcher: PostgresLauncher; say(line: string): void };

/** The data of one instance and the server over them, which runs from its first use to `close`. */
export type Cluster = {
  /** Makes new data in place of whatever is there. */
  create(rootVerifier: string | undefined): Promise<void>;
  /** The server's socket; starts it if it does not run. */
  socket(): Promise<string>;
  /** Runs `use` as the platform's own role. */
  administer<T>(use: (admin: Admin) => Promise<T>): Promise<T>;
  /** Ends what runs; nothing starts any more. */
  close(): Promise<void>;
};

const startMs = 30_000;
const stopMs = 5000;
const socketName = '.s.PGSQL.5432';

/** Small, since many may run on one machine; what is acknowledged is on the disk. */
const settings = {
  listen_addresses: '',
  // Relative to the data: absolute, the path may be longer than a socket's may be.
  unix_socket_directories: '.',
  max_connections: '100',
  shared_buffers: '16MB',
  max_wal_size: '64MB',
  min_wal_size: '5MB',
  log_line_prefix: '%t [%p]: [%l-1] db=%d,user=%u ',
  logging_collector: 'off',
};
const locale = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';

/**
 * `folder` is the cluster's own; `short` a path that is made to lead to its data, short enough for a socket in it (107
 * bytes on Linux, 103 on macOS).
 */
export function openCluster(host: ClusterHost, folder: string, short: string): Cluster {
  const data = path.join(folder, 'data');
  const passwordFile = path.join(folder, 'admin-password');
  const closing = new AbortController();
  let server: Promise<ChildProcess> | undefined;

  async function create(rootVerifier: string | undefined): Promise<void> {
    await halt();
    await rm(data, { recursive: true, force: true });
    await mkdir(data, { recursive: true, mode: 0o700 });
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    const { owner } = host.launcher;
    if (owner !== undefined) await Promise.all([data, passwordFile].map((each) => chown(each, owner, owner)));
    const options = [
      ...['-D', data, '-U', platformRole, '--pwfile', passwordFile, '--auth=scram-sha-256'],
      ...['--encoding=UTF8', `--locale=${locale}`, '--lc-messages=C', '--wal-segsize=1', '--no-sync'],
    ];
    await runToEnd(host, host.postgres.initdb, options, closing.signal);
    await withClient((client) => setUp(client, rootVerifier));
  }

  function running(): Promise<ChildProcess> {
    if (server) return server;
    const own = start(() => {
      if (server === own) server = undefined;
    });
    server = own;
    return own;
  }

  async function start(gone: () => void): Promise<ChildProcess> {
    try {
      closing.signal.throwIfAborted();
      await rm(short, { force: true });
      await symlink(data, short);
      const deadline = performance.now() + startMs;
      for (;;) {
        const { child, failure } = await tryStart();
        if (failure === undefined) {
          child.once('exit', gone);
          return child;
        }
        if (!heldByAnother.test(failure) || performance.now() > deadline)
          throw new Error(`Postgres did not start: ${failure}`);
        await delay(200);
        if (await isForsaken(data)) await rm(path.join(data, 'postmaster.pid'), { force: true });
      }
    } catch (error) {
      gone();
      throw error;
    }
  }

  async function tryStart(): Promise<{ child: ChildProcess; failure: string | undefined }> {
    const given = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = run(host, host.postgres.postgres, ['-D', data, ...given]);
    const told = listen(child, host.say);
    const exited = once(child, 'exit').then(() => 'it ended at once');
    if (child.pid) await recordProcess(folder, child.pid);
    const waiting = new AbortController();
    const late = delay(startMs, 'it took too long', { signal: waiting.signal });
    const failure = await Promise.race([told.ready, exited, late.catch(() => undefined)]);
    waiting.abort();
    if (failure !== undefined) child.kill('SIGKILL');
    return { child, failure: failure && (told.last() || failure) };
  }

  const socket = async () => {
    await running();
    return path.join(short, socketName);
  };

  async function withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
    const [{ default: pg }, password] = await Promise.all([import('pg'), readFile(passwordFile, 'utf8')]);
    const where = { host: path.dirname(await socket()), port: 5432, database: 'postgres', ssl: false };
    const client = new pg.Client({ ...where, user: platformRole, password });
    // A server that ends meanwhile ends the query too, which tells it.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }

  async function halt(): Promise<void> {
    const child = await server?.catch(() => undefined);
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit').then(() => true);
    // A fast shutdown, an immediate one, and none at all.
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      signalGroup(child.pid, signal);
      const waiting = new AbortController();
      const late = delay(stopMs, false, { signal: waiting.signal }).catch(() => false);
      const over = await Promise.race([exited, late]);
      waiting.abort();
      if (over) break;
    }
  }

  return {
    create,
    socket,
    administer: (use) => withClient((client) => use(adminOf(client))),
    async close() {
      closing.abort(new Error('The local cloud stops.'));
      await halt();
      await rm(short, { force: true });
    },
  };
}

/** What Postgres says when its lock file names a process, or the shared memory of one, that is there. */
const heldByAnother = /"postmaster\.pid" already exists|shared memory block .* is still in use/;

/**
 * Does no process work in this data? A killed server leaves processes that end a moment after it, and stays in the
 * table of processes itself until somebody asks for its end: then only its lock file is left of it. Linux tells.
 */
async function isForsaken(data: string): Promise<boolean> {
  const [own, all] = await Promise.all([realpath(data), readdir('/proc').catch(() => [])]);
  const pids = all.filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return pids.length > 0 && !folders.includes(own);
}

function run({ launcher }: ClusterHost, binary: string, args: string[]): ChildProcess {
  const [command = '', ...rest] = [...launcher.command, binary, ...args];
  return spawn(command, rest, {
    cwd: '/',
    // Nothing of the host's own settings (PGDATA, PGHOST …) gets in.
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: locale, TZ: 'UTC' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function runToEnd(
  host: ClusterHost,
  binary: string,
  args: string[],
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = run(host, binary, args);
  const told = listen(child, () => undefined);
  const end = () => child.pid && signalGroup(child.pid, 'SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  const [code] = await once(child, 'close');
  signal.removeEventListener('abort', end);
  if (code !== 0) throw new Error(`${path.basename(binary)} failed: ${told.last()}`);
}

const readyLine = 'database system is ready to accept connections';

/** Hands on each line that a server says, and waits for the one by which it is ready. */
function listen(child: ChildProcess, say: (line: string) => void) {
  const { promise: ready, resolve } = Promise.withResolvers<undefined>();
  let last = '';
  const lines = lineSplitter((bytes) => {
    const line = bytes.toString('utf8');
    if (!/ (LOG|HINT|DETAIL): /.test(line)) last = line.trim() || last;
    say(line);
    if (line.endsWith(readyLine)) resolve(undefined);
  });
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => lines.push(chunk));
  child.stderr?.on('close', () => lines.end());
  return { ready, last: () => last };
}
