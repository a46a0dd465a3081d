import type { CloudErrorKind } from './ports/index.ts';

/** When a failed call is made again, as data. */
export type RetryPolicy = {
  name: string;
  kinds: readonly CloudErrorKind[];
  /** The first one included. */
  attempts: number;
  backoff: { firstMs: number; factor: number; mostMs: number };
};

/** Reads change nothing: a server that is away for a moment is asked again. */
export const transientRead: RetryPolicy = {
  name: 'transientRead',
  kinds: ['unavailable'],
  attempts: 6,
  backoff: { firstMs: 100, factor: 2, mostMs: 2_000 },
};

/** Cloud Logging allows 60 reads a minute and project, so its lists also wait for their quota. */
export const quotaRead: RetryPolicy = {
  name: 'quotaRead',
  kinds: ['unavailable', 'exhausted'],
  attempts: 6,
  backoff: { firstMs: 250, factor: 2.5, mostMs: 8_000 },
};

/** A long poll is soon given up for another road. */
export const briefRead: RetryPolicy = {
  name: 'briefRead',
  kinds: ['unavailable'],
  attempts: 2,
  backoff: { firstMs: 100, factor: 1, mostMs: 100 },
};

/** A write that was refused, or never sent, did not happen; Storage allows one a second for each object. */
export const quotaWrite: RetryPolicy = {
  name: 'quotaWrite',
  kinds: ['unavailable', 'exhausted'],
  attempts: 6,
  backoff: { firstMs: 300, factor: 2, mostMs: 4_000 },
};

/** A write whose answer is lost may have happened: only its caller, who reads again, can know. */
export const neverForWrites: RetryPolicy = {
  name: 'neverForWrites',
  kinds: [],
  attempts: 1,
  backoff: { firstMs: 0, factor: 1, mostMs: 0 },
};

/**
 * Milliseconds to pause before the next attempt; undefined when there is none: another kind of failure, all
 * attempts used, or no time left. `failed` counts the attempts so far, `random` (0–1) spreads the clients.
 */
export function pauseBefore(
  policy: RetryPolicy,
  kind: CloudErrorKind,
  failed: number,
  remainingMs: number,
  random: number,
): number | undefined {
  if (!policy.kinds.includes(kind) || failed >= policy.attempts) return undefined;
  const { firstMs, factor, mostMs } = policy.backoff;
  const pause = Math.min(firstMs * factor ** (failed - 1), mostMs) * (0.5 + random / 2);
  return pause < remainingMs ? pause : undefined;
}
