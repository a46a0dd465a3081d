import http from 'node:http';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Probe } from '../contracts.ts';

export type ProbeFailure = { passed: false; failures: number; detail: string };
export type ProbeResult = { passed: true; attempts: number } | ProbeFailure;
type Attempt = { passed: true } | { passed: false; detail: string };

const longestContents = 1024;

/**
 * Probes a starting container as Cloud Run does: each attempt has `timeoutSeconds`, in which a refused connection is
 * tried again (that is why a default probe passes "after 1 attempt" however long the start takes); `failureThreshold`
 * attempts in a row that fail are the end. `gone` aborts when the container has exited.
 */
export async function runProbe(probe: Probe, port: number, gone: AbortSignal): Promise<ProbeResult> {
  const cancelled = (attempts: number): ProbeFailure => ({
    passed: false,
    failures: attempts,
    detail: 'Connection failed with status CANCELLED.',
  });
  await pause(probe.initialDelaySeconds * 1000, gone);
  for (let attempts = 1; ; attempts++) {
    if (gone.aborted) return cancelled(attempts);
    const started = performance.now();
    const attempt = await tryOnce(probe, port, gone);
    if (attempt.passed) return { passed: true, attempts };
    if (gone.aborted) return cancelled(attempts);
    if (attempts >= probe.failureThreshold) return { ...attempt, failures: attempts };
    await pause(probe.periodSeconds * 1000 - (performance.now() - started), gone);
  }
}

/** Probes a running container; resolves with the count of failures in a row that are the end, or when it has gone. */
export async function watchLiveness(
  probe: Probe,
  port: number,
  gone: AbortSignal,
): Promise<number | undefined> {
  await pause(probe.initialDelaySeconds * 1000, gone);
  for (let failures = 0; !gone.aborted; ) {
    const started = performance.now();
    const { passed } = await tryOnce(probe, port, gone);
    failures = passed ? 0 : failures + 1;
    if (failures >= probe.failureThreshold && !gone.aborted) return failures;
    await pause(probe.periodSeconds * 1000 - (performance.now() - started), gone);
  }
  return undefined;
}

function tryOnce(probe: Probe, port: number, gone: AbortSignal): Promise<Attempt> {
  const deadline = AbortSignal.any([gone, AbortSignal.timeout(Math.max(1, probe.timeoutSeconds * 1000))]);
  return probe.kind === 'http' ? tryHttp(probe, port, deadline) : tryTcp(port, deadline);
}

async function tryTcp(port: number, deadline: AbortSignal): Promise<Attempt> {
  return untilDeadline(deadline, () => connects(port, deadline));
}

async function tryHttp(probe: Probe, port: number, deadline: AbortSignal): Promise<Attempt> {
  return untilDeadline(deadline, () => answers(probe, port, deadline));
}

/** Repeats what found nobody listening (undefined), ever more slowly. */
async function untilDeadline(
  deadline: AbortSignal,
  once: () => Promise<Attempt | undefined>,
): Promise<Attempt> {
  for (let wait = 5; !deadline.aborted; wait = Math.min(wait * 1.5, 50)) {
    const attempt = await once();
    if (attempt) return attempt;
    await pause(wait, deadline);
  }
  return { passed: false, detail: 'Connection failed with status DEADLINE_EXCEEDED.' };
}

/**
 * As on Cloud Run, a service must listen on 0.0.0.0: one that listens on 127.0.0.1 alone is not found. Only Linux has
 * all of 127/8 on loopback.
 */
const probedHost = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';

function connects(port: number, deadline: AbortSignal): Promise<Attempt | undefined> {
  return new Promise((resolve) => {
    const socket = new net.Socket({ signal: deadline });
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
    socket.connect({ host: probedHost, port }, () => {
      resolve({ passed: true });
      socket.destroy();
    });
  });
}

function answers(probe: Probe, port: number, deadline: AbortSignal): Promise<Attempt | undefined> {
  return new Promise((resolve) => {
    const request = http.get(
      {
        host: probedHost,
        port,
        path: probe.path || '/',
        headers: Object.fromEntries(probe.httpHeaders.map(({ name, value }) => [name, value])),
        agent: false,
        signal: deadline,
      },
      (response) => {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 400) {
          resolve({ passed: true });
          request.destroy();
          return;
        }
        let contents = '';
        const fail = () => {
          const detail = `HTTP request returned status ${status} ${http.STATUS_CODES[status] ?? ''}.`;
          resolve({ passed: false, detail: contents ? `${detail}\nContents: ${contents}` : detail });
          request.destroy();
        };
        response.setEncoding('utf8').on('data', (chunk: string) => {
          contents = (contents + chunk).slice(0, longestContents);
          if (contents.length === longestContents) fail();
        });
        response.once('close', fail);
      },
    );
    request.once('error', () => resolve(undefined));
  });
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds > 0) await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
