import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { healthSchema, type IdleTimeout, nonceHeader, type ServiceStatus, statusSchema } from './control.ts';
import { LocalCloudError } from './errors.ts';
import { clearHome, openHome } from './home.ts';
import type { LatencySetting } from './latency/profile.ts';
import { isHomeLocked } from './lock.ts';
import { readRecord, type ServerRecord } from './server-record.ts';

const bootMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), port: z.int() }),
  /** Another server holds the home. */
  z.object({ kind: z.literal('busy') }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
export type BootMessage = z.infer<typeof bootMessage>;
/** `silent`: it ended or hung without a word; its log may tell. */
type BootOutcome = BootMessage | { kind: 'silent'; message: string };

const bootMs = 20_000;
const stopMs = 20_000;
const requestMs = 2000;
const pollMs = 20;

/**
 * A running local cloud with this stamp in this home, started when there is none; one with another stamp is replaced.
 * However many call at once, one server runs and all get its port. `entry` is the path of `main`.
 */
export async function ensureLocalCloud(options: {
  home: string;
  stamp: string;
  entry: string;
}): Promise<{ port: number; started: boolean }> {
  const { home, stamp } = options;
  openHome(home);
  const deadline = Date.now() + bootMs;
  while (Date.now() < deadline) {
    const running = await findServer(home);
    if (running?.stamp === stamp) return { port: running.port, started: false };
    if (running) await stopLocalCloud({ home });
    // Locked without an answer: somebody's server is just starting, or stopping.
    const outcome: BootOutcome = isHomeLocked(home) ? { kind: 'busy' } : await boot(options);
    if (outcome.kind === 'ready') return { port: outcome.port, started: true };
    if (outcome.kind === 'failed') throw bootFailure(outcome.message);
    if (outcome.kind === 'silent') throw bootFailure(outcome.message, logTail(home));
    await sleep(pollMs);
  }
  throw bootFailure('Another process holds the folder, but no server of it answers.');
}

/** Resolves when no server runs in the home any more; `false` when none did. */
export async function stopLocalCloud({ home }: { home: string }): Promise<boolean> {
  if (!existsSync(home)) return false;
  const running = await findServer(home);
  if (running) await request(running, 'POST', '/local/stop').catch(() => undefined);
  else if (!isHomeLocked(home)) return false;
  const deadline = Date.now() + stopMs;
  while (isHomeLocked(home)) {
    if (Date.now() > deadline) throw stopFailure(home, readRecord(home)?.pid);
    await sleep(pollMs);
  }
  return running !== undefined;
}

export type LocalCloudStatus =
  | { state: 'stopped'; home: string }
  | {
      state: 'running';
      home: string;
      port: number;
      pid: number;
      stamp: string;
      latency: LatencySetting;
      idleTimeout: IdleTimeout;
      services: ServiceStatus[];
    };

export async function localCloudStatus({ home }: { home: string }): Promise<LocalCloudStatus> {
  const running = await findServer(home);
  if (!running) return { state: 'stopped', home };
  const { services, latency, idleTimeout } = statusSchema.parse(
    await request(running, 'GET', '/local/status'),
  );
  const { port, pid, stamp } = running;
  return { state: 'running', home, port, pid, stamp, latency, idleTimeout, services };
}

/** How long things take from now on, in the local cloud that runs here and in its successors. */
export async function setLatency({ home }: { home: string }, setting: LatencySetting): Promise<void> {
  await set(home, 'latency', setting, 'latency profile');
}

/** How long an idle instance is kept from now on, in the local cloud that runs here and in its successors. */
export async function setIdleTimeout({ home }: { home: string }, setting: IdleTimeout): Promise<void> {
  await set(home, 'idle-timeout', setting, 'idle timeout');
}

async function set(home: string, name: string, setting: object, what: string): Promise<void> {
  const running = await findServer(home);
  const told = running && (await ask(running, 'PUT', `/local/${name}`, setting));
  if (!told?.ok)
    throw new LocalCloudError({
      what: `The local cloud did not take its ${what}.`,
      next: ['sluice local status'],
    });
}

/** Stops it and forgets every service, image, log and object. */
export async function resetLocalCloud({ home }: { home: string }): Promise<void> {
  await stopLocalCloud({ home });
  clearHome(home);
}

/** The server of this home, if what listens on the recorded port answers with the recorded nonce. */
export async function findServer(home: string): Promise<ServerRecord | undefined> {
  const record = readRecord(home);
  if (!record) return undefined;
  const health = healthSchema.safeParse(await request(record, 'GET', '/healthz').catch(() => undefined));
  return health.data?.nonce === record.nonce ? record : undefined;
}

async function request(server: ServerRecord, method: string, path: string): Promise<unknown> {
  return (await ask(server, method, path)).answer;
}

/** Without `fetch`, and without importing node:http (which reads its every export): both would load undici first. */
export async function ask(
  { port, nonce }: ServerRecord,
  method: string,
  path: string,
  body?: object,
): Promise<{ ok: boolean; answer: unknown }> {
  const sent = process.getBuiltinModule('node:http').request({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { [nonceHeader]: nonce, ...(body && { 'content-type': 'application/json' }) },
    agent: false,
    signal: AbortSignal.timeout(requestMs),
  });
  sent.end(body && JSON.stringify(body));
  const [response] = await once(sent, 'response');
  return { ok: response.statusCode === 200, answer: await json(response) };
}

/** Starts the server detached, with its output in the home's `server.log`, and waits for its first word. */
async function boot(options: { home: string; stamp: string; entry: string }): Promise<BootOutcome> {
  const log = openSync(logOf(options.home), 'a', 0o600);
  const child = spawn(process.execPath, [options.entry, options.home, options.stamp], {
    cwd: options.home,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const { promise, resolve, reject } = Promise.withResolvers<BootOutcome>();
  const deadline = setTimeout(() => {
    child.kill('SIGKILL');
    resolve({ kind: 'silent', message: `It said nothing for ${bootMs / 1000} seconds.` });
  }, bootMs);
  child.once('message', (message) => resolve(bootMessage.parse(message)));
  child.once('error', reject);
  child.once('exit', (code, signal) =>
    resolve({ kind: 'silent', message: `It ended with ${signal ?? `exit code ${code}`} while it started.` }),
  );
  try {
    return await promise;
  } finally {
    clearTimeout(deadline);
    if (child.connected) child.disconnect();
    child.removeAllListeners();
    child.unref();
  }
}

const logOf = (home: string) => path.join(home, 'server.log');
const tailBytes = 2000;

function logTail(home: string): string {
  const tail = existsSync(logOf(home)) ? readFileSync(logOf(home), 'utf8').slice(-tailBytes).trim() : '';
  return tail && `\nThe end of ${logOf(home)}:\n${tail}`;
}

function bootFailure(why: string, evidence = ''): LocalCloudError {
  return new LocalCloudError({
    what: 'The local cloud did not start.',
    why: why + evidence,
    next: ['sluice local stop', 'sluice local reset'],
  });
}

function stopFailure(home: string, pid: number | undefined): LocalCloudError {
  return new LocalCloudError({
    what: `The local cloud in ${home} does not stop.`,
    why: `It still holds its folder after ${stopMs / 1000} seconds.`,
    next: pid === undefined ? [] : [`End the process ${pid} and start again.`],
  });
}
