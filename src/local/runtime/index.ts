import path from 'node:path';
import type { CloudSql, LogSink, RevisionRef, Runtime, SecretReader } from '../contracts.ts';
import { AcquireError } from './errors.ts';
import type { Host } from './instance.ts';
import { findLauncher, findMountingLauncher } from './launcher.ts';
import { portLender } from './loopback-port.ts';
import { Pool, type Times } from './pool.ts';
import { endOrphans } from './process-records.ts';
import { machinePath } from './tools.ts';

export type RuntimeOptions = {
  /** The local cloud's folder; the runtime keeps to `instances` in it. */
  home: string;
  logs: LogSink;
  secrets: SecretReader;
  /** Without it no Cloud SQL instance can be attached. */
  cloudSql?: CloudSql;
  provision?: Host['provision'];
  /** Put before each instance's command line; found out by default. */
  launcher?: string[];
  /** The one for instances with volumes; `undefined` stands for a machine where nothing can be mounted. */
  mountingLauncher?: string[] | undefined;
} & Partial<Times>;

/** As Cloud Run keeps an idle instance at the longest. */
export const defaultIdleMs = 15 * 60_000;
const cloudRunTimes: Times = { idleMs: defaultIdleMs, graceMs: 10_000, restartMs: 2000, pendingMs: 10_000 };
// Whoever stops the local cloud waits for it.
const longestStopMs = 1000;

/**
 * Runs revisions as child processes, as Cloud Run runs containers. What differs: PORT is the instance's own port on
 * loopback; an idle instance keeps its CPU; memory is not limited.
 */
export function openRuntime(options: RuntimeOptions): Runtime {
  const times = { ...cloudRunTimes, ...options };
  const instances = path.join(options.home, 'instances');
  let mountingLauncher: Promise<string[] | undefined> | undefined;
  const host: Host = {
    logs: options.logs,
    instances,
    searchPath: machinePath,
    launcher: endOrphans(instances).then(() => options.launcher ?? findLauncher()),
    mountingLauncher: () => {
      mountingLauncher ??= findMounting(instances, options);
      return mountingLauncher;
    },
    secrets: options.secrets,
    ...(options.cloudSql && { cloudSql: options.cloudSql }),
    ...(options.provision && { provision: options.provision }),
    ports: portLender(),
  };
  // Each instance's start reports it; a runtime that starts none has nothing to say.
  host.launcher.catch(() => undefined);
  const pools = new Map<string, Pool>();

  const remove = async (key: string, graceMs: number) => {
    const pool = pools.get(key);
    pools.delete(key);
    await pool?.stop(graceMs);
  };

  return {
    async deploy(revision) {
      await remove(keyOf(revision), times.graceMs);
      const pool = new Pool(host, revision, times);
      pools.set(keyOf(revision), pool);
      return pool.deploy();
    },
    register(revision) {
      const key = keyOf(revision);
      if (!pools.has(key)) pools.set(key, new Pool(host, revision, times));
    },
    async acquire(revision, preferredInstance) {
      const pool = pools.get(keyOf(revision));
      if (!pool) throw new AcquireError('unknown-revision', `Revision ${revision.revision} is not known.`);
      return pool.acquire(preferredInstance);
    },
    keep(revision, minimum) {
      pools.get(keyOf(revision))?.keep(minimum);
    },
    setIdleTimeout(milliseconds) {
      times.idleMs = milliseconds;
      for (const pool of pools.values()) pool.idleTimeoutChanged();
    },
    remove: (revision) => remove(keyOf(revision), times.graceMs),
    async stop() {
      const graceMs = Math.min(times.graceMs, longestStopMs);
      await host.launcher.catch(() => undefined);
      await Promise.all([...pools.keys()].map((key) => remove(key, graceMs)));
    },
  };
}

async function findMounting(instances: string, options: RuntimeOptions): Promise<string[] | undefined> {
  return 'mountingLauncher' in options ? options.mountingLauncher : findMountingLauncher(instances);
}

function keyOf({ project, location, service, revision }: RevisionRef): string {
  return [project, location, service, revision].join('/');
}
