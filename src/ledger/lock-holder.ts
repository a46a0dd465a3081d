import { z } from 'zod';
import { SluiceError } from '../errors.ts';

/** What is locked: one Cloud Run service. */
export type LockPlace = { project: string; region: string; service: string };

export type LockClaim = {
  who: string;
  /** The command, as it would be typed: `sluice deploy staging`. */
  why: string;
  /** The release's id. */
  release: string;
  /** How long the lock outlives a holder that died; it is renewed at a third of that. */
  leaseMs: number;
  /** Ends a wait for a holder that may have died. */
  signal?: AbortSignal;
};

/** `host` and `pid` say where a holder runs. */
export type LockOwner = {
  now: () => Date;
  host: string;
  pid: number;
  /** True only when it is certain that the holder's process has ended: its lease need not be waited for. */
  hasEnded?: (holder: LockHolder) => boolean;
};

const maxText = 500;
const text = z.string().max(maxText);

const holderSchema = z.object({
  who: text,
  when: z.iso.datetime(),
  why: text,
  release: text,
  host: text,
  pid: z.number(),
  until: z.iso.datetime(),
  leaseMs: z.number().positive().default(30_000),
});

/** The lock object's content; the lease ends at `until` by the holder's clock. */
export type LockHolder = z.infer<typeof holderSchema>;

export function newHolder(claim: LockClaim, owner: LockOwner): LockHolder {
  const now = owner.now();
  return {
    who: claim.who.slice(0, maxText),
    when: now.toISOString(),
    why: claim.why.slice(0, maxText),
    release: claim.release.slice(0, maxText),
    host: owner.host.slice(0, maxText),
    pid: owner.pid,
    until: leaseEnd(now, claim),
    leaseMs: claim.leaseMs,
  };
}

export function leaseEnd(now: Date, claim: LockClaim): string {
  return new Date(now.getTime() + claim.leaseMs).toISOString();
}

/** Milliseconds; negative when it is over. */
export function leaseLeft(holder: LockHolder, now: Date): number {
  return Date.parse(holder.until) - now.getTime();
}

/**
 * Worth watching whether anybody renews it. Clocks of two machines differ, and jump: a lease that is over may be
 * a living holder's, and one that has longer to go than a lease lasts says only that the clocks do not agree.
 */
export function isDoubtful(holder: LockHolder, now: Date): boolean {
  const left = leaseLeft(holder, now);
  return left <= 0 || left > holder.leaseMs;
}

export function encodeHolder(holder: LockHolder): Uint8Array {
  return Buffer.from(`${JSON.stringify(holder)}\n`);
}

/** undefined when it is no lock of this version. */
export function decodeHolder(bytes: Uint8Array): LockHolder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

export function takenBy(holder: LockHolder, place: LockPlace, claim: LockClaim, now: Date): SluiceError {
  const left = Math.min(Math.max(leaseLeft(holder, now), 0), holder.leaseMs);
  const seconds = Math.ceil(left / 1000);
  const runs = `release ${holder.release} runs on ${holder.host.split(' ')[0]} (process ${holder.pid})`;
  return new SluiceError('conflict', {
    what: `${place.service} is locked by ${holder.who} since ${holder.when}: ${holder.why}`,
    why: `${runs}; should that process have died, its lease ends in ${seconds} s, at ${holder.until}`,
    next: [`wait until it has ended, then type: ${claim.why}`],
  });
}

export function unreadableLock(place: LockPlace, where: string, claim: LockClaim): SluiceError {
  return new SluiceError('conflict', {
    what: `The lock of ${place.service} cannot be read, so nobody knows who holds it`,
    why: `${where} is not a lock that this version understands`,
    next: [`make sure that nobody deploys ${place.service}, remove ${where}, then type: ${claim.why}`],
  });
}

export function lostLease(place: LockPlace, where: string, claim: LockClaim): SluiceError {
  return new SluiceError('conflict', {
    what: `The lock of ${place.service} was lost in the middle of release ${claim.release}`,
    why: `${where} could not be renewed in time, or somebody else has taken it over`,
    next: [`see which release holds the lock now; when it has ended, type: ${claim.why}`],
  });
}

export function contended(place: LockPlace, where: string, claim: LockClaim): SluiceError {
  return new SluiceError('conflict', {
    what: `The lock of ${place.service} changes hands too fast to be taken`,
    why: `several commands want ${where} at once`,
    next: [`type again: ${claim.why}`],
  });
}
