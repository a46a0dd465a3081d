import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  CloudSql,
  InstanceStart,
  LogSink,
  Probe,
  RunnableRevision,
  SecretReader,
} from '../contracts.ts';
import { type InstanceLog, openInstanceLog } from './instance-log.ts';
import { childWasKilled } from './launcher.ts';
import type { portLender } from './loopback-port.ts';
import { prepare } from './prepare.ts';
import { runProbe, watchLiveness } from './probe.ts';
import { recordProcess, removeFolder, signalGroup } from './process-records.ts';
import {
  cannotStartLine,
  exitLine,
  livenessFailedLine,
  probeFailedLine,
  probePassedLine,
  startingLine,
} from './system-lines.ts';

// How long what a dead process has written may take to be read.
const lastWordsMs = 2000;

/** What instances share. */
export type Host = {
  logs: LogSink;
  /** Folder of the instances' own folders. */
  instances: string;
  /** The search path that instances inherit. */
  searchPath: string;
  /** Resolves when no predecessor's process is left, with the launcher to use. */
  launcher: Promise<string[]>;
  /** The one for instances with volumes, or undefined where nothing can be mounted. */
  mountingLauncher(): Promise<string[] | undefined>;
  secrets: SecretReader;
  cloudSql?: CloudSql;
  ports: ReturnType<typeof portLender>;
  /** Resolves when an instance may start; what takes long in a cloud takes long here. */
  provision?(reason: InstanceStart): Promise<void>;
};

export type Instance = {
  id: string;
  /** The loopback port once the startup probe has passed; undefined when it never will. */
  ready: Promise<number | undefined>;
  /** Aborts the moment the process exits, or cannot be started. */
  gone: AbortSignal;
  /** Resolves when its end is logged and nothing of it is left; never rejects. */
  cleaned: Promise<void>;
  /** SIGTERM, and SIGKILL after the grace. */
  stop(graceMs: number): Promise<void>;
};

/** Starts one instance of a revision. It dies once: nothing in here starts it again. */
export function startInstance(host: Host, revision: RunnableRevision, reason: InstanceStart): Instance {
  const id = randomBytes(64).toString('hex');
  const folder = path.join(host.instances, id.slice(0, 16));
  const log = openInstanceLog(host.logs, revision, id);
  const stopping = new AbortController();
  const gone = new AbortController();
  const { promise: ready, resolve: settle } = Promise.withResolvers<number | undefined>();
  let pid: number | undefined;

  const live = async (port: number) => {
    const running = await launch(host, revision, { folder, port, log, stopping: stopping.signal, gone });
    if (!running) return;
    pid = running.pid;
    // Asked to stop while it was being launched: nobody has seen it yet.
    if (stopping.signal.aborted) signalGroup(pid, 'SIGKILL');
    const result = await Promise.race([
      runProbe(revision.startupProbe, probedPort(revision, revision.startupProbe, port), gone.signal),
      once(stopping.signal, 'abort').then(() => undefined),
    ]);
    if (result?.passed) {
      log.system(probePassedLine(revision, result.attempts));
      settle(port);
      void endWhenNotLive(port, running.pid);
    } else if (result && !stopping.signal.aborted) {
      // The exit comes first in the log, as on Cloud Run.
      if (gone.signal.aborted) await running.ended;
      log.system(probeFailedLine(revision, result));
      signalGroup(pid, 'SIGKILL');
    }
    await running.ended;
  };

  const endWhenNotLive = async (port: number, pid: number) => {
    const { livenessProbe: probe } = revision;
    const failures = probe && (await watchLiveness(probe, probedPort(revision, probe, port), gone.signal));
    if (!failures || stopping.signal.aborted) return;
    log.system(livenessFailedLine(revision, probe, failures));
    signalGroup(pid, 'SIGKILL');
  };

  const run = async () => {
    log.system(startingLine(reason));
    await host.provision?.(reason);
    const port = await host.ports.borrow();
    await live(port).finally(() => host.ports.giveBack(port));
  };

  const cleaned = run()
    .catch((error: unknown) => log.system(cannotStartLine(error)))
    .finally(() => {
      gone.abort();
      settle(undefined);
    })
    .then(() => removeFolder(folder))
    // What cannot be removed now goes at the next start of the local cloud.
    .catch(() => undefined);

  return {
    id,
    ready,
    gone: gone.signal,
    cleaned,
    async stop(graceMs) {
      stopping.abort();
      settle(undefined);
      if (pid && !gone.signal.aborted) signalGroup(pid, 'SIGTERM');
      const ended = new AbortController();
      await Promise.race([
        cleaned,
        delay(graceMs, undefined, { signal: ended.signal }).catch(() => undefined),
      ]);
      ended.abort();
      if (pid && !gone.signal.aborted) signalGroup(pid, 'SIGKILL');
      await cleaned;
    },
  };
}

type Running = {
  pid: number;
  /** Resolves when it has exited, what it said is read and its end is logged. */
  ended: Promise<void>;
};

async function launch(
  host: Host,
  revision: RunnableRevision,
  own: { folder: string; port: number; log: InstanceLog; stopping: AbortSignal; gone: AbortController },
): Promise<Running | undefined> {
  const prepared = await prepare(host, revision, { ...own, gone: own.gone.signal });
  if (!prepared || own.stopping.aborted) return undefined;
  const { argv, cwd, env } = prepared;
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    throw error;
  }
  const running = { pid: child.pid, ended: watch(child, child.pid, own) };
  try {
    await recordProcess(own.folder, running.pid);
  } catch (error) {
    signalGroup(running.pid, 'SIGKILL');
    await running.ended;
    throw error;
  }
  return running;
}

async function watch(
  child: ChildProcessByStdio<null, Readable, Readable>,
  pid: number,
  { log, stopping, gone }: { log: InstanceLog; stopping: AbortSignal; gone: AbortController },
): Promise<void> {
  let killed = false;
  const output = Promise.all([
    log.follow('stdout', child.stdout),
    log.follow('stderr', child.stderr, (line) => {
      const told = childWasKilled.test(line);
      killed ||= told;
      return told;
    }),
  ]);
  const { promise, resolve } = Promise.withResolvers<[number | null, NodeJS.Signals | null]>();
  child.once('exit', (code, signal) => {
    gone.abort();
    // A container ends with its first process; what that one left behind would hold the pipes open.
    signalGroup(pid, 'SIGKILL');
    resolve([code, signal]);
  });
  const [code, ownSignal] = await promise;
  await Promise.race([output, delay(lastWordsMs, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stderr.destroy();
  const signal = killed && code === 1 ? 'SIGKILL' : ownSignal;
  // That it obeyed is no news.
  if (!(stopping.aborted && (signal || code === 0))) log.system(exitLine(code, signal));
}

/** A probe of the revision's port goes to the instance's own; any other port is meant literally. */
function probedPort({ port }: RunnableRevision, probe: Probe, own: number): number {
  const usual = probe.kind === 'default' || probe.port === 0 || probe.port === port;
  return usual ? own : probe.port;
}
