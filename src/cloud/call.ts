import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from 'google-gax';
import { cloudError, endedHere, toCloudError } from './errors.ts';
import type { Call } from './ports/index.ts';
import { neverForWrites, pauseBefore, type RetryPolicy, transientRead } from './retry.ts';
import type { Waiting } from './waiting.ts';

/** A method of a cloud API: its name in messages, its default deadline, when it is tried again. */
export type Method = { name: string; timeoutMs: number; write: boolean; retry: RetryPolicy };

/** What is left for one attempt; the signal fires at the deadline and when the caller aborts. */
export type Limits = { timeoutMs: number; signal: AbortSignal };

export function readMethod(name: string, timeoutMs: number, retry: RetryPolicy = transientRead): Method {
  return { name, timeoutMs, write: false, retry };
}

export function writeMethod(name: string, timeoutMs: number, retry: RetryPolicy = neverForWrites): Method {
  return { name, timeoutMs, write: true, retry };
}

/**
 * The one wrapper round every call: a deadline over all attempts, the caller's signal, retries by the method's
 * policy, normalised errors. Loading a client counts as our own time, the attempts and pauses as waiting.
 */
export async function invoke<Client, T>(
  on: { client: () => Promise<Client>; waiting: Waiting },
  method: Method,
  resource: string,
  call: Call,
  attempt: (client: Client, limits: Limits) => Promise<T>,
): Promise<T> {
  const about = { method: method.name, resource, write: method.write };
  const timeoutMs = call.timeoutMs ?? method.timeoutMs;
  const deadline = performance.now() + timeoutMs;
  const client = await untilAborted(on.client(), call.signal).catch((error: unknown) => {
    if (call.signal.aborted) throw cloudError('aborted', 'the call was aborted before it was sent', about);
    throw toCloudError(error, { ...about, write: false });
  });
  for (let failed = 1; ; failed += 1) {
    if (call.signal.aborted) throw cloudError('aborted', 'the call was aborted before it was sent', about);
    const remaining = Math.max(1, Math.ceil(deadline - performance.now()));
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(remaining)]);
    try {
      return await on.waiting.track(untilAborted(attempt(client, { timeoutMs: remaining, signal }), signal));
    } catch (error) {
      if (call.signal.aborted) throw endedHere('aborted', 'the call was aborted while it ran', about);
      if (signal.aborted) throw endedHere('deadline', `no answer within ${timeoutMs} ms`, about);
      const failure = toCloudError(error, about);
      const left = deadline - performance.now();
      const pause = pauseBefore(method.retry, failure.kind, failed, left, Math.random());
      if (pause === undefined) throw failure;
      await on.waiting.track(quietPause(pause, call.signal));
    }
  }
}

/** For a generated client: our own deadline and signal, none of gax's retries, one page at a time. */
export function gaxOptions(limits: Limits): CallOptions {
  return { timeout: limits.timeoutMs, signal: limits.signal, retry: null, autoPaginate: false };
}

/** Ends early, without an error, when the signal fires. */
export async function quietPause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** Not every client listens to a signal; the caller is let go all the same. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Makes a thing at its first use; everybody gets the same one. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
