import { setTimeout as sleep } from 'node:timers/promises';
import {
  contended,
  decodeHolder,
  encodeHolder,
  isDoubtful,
  type LockClaim,
  type LockHolder,
  type LockOwner,
  type LockPlace,
  leaseEnd,
  leaseLeft,
  lostLease,
  newHolder,
  takenBy,
  unreadableLock,
} from './lock-holder.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

export type Locks = {
  /** All of the places or none. Throws `conflict`, naming the holder, when one of them is taken. */
  acquire(places: LockPlace | readonly LockPlace[], claim: LockClaim): Promise<Lock>;
  /** Who holds it now; undefined when nobody does, an expired lease included. */
  holder(place: LockPlace): Promise<LockHolder | undefined>;
};

type Lock = {
  /** Aborts, with a SluiceError `conflict` as its reason, when a lease has been lost: the run must stop. */
  readonly lost: AbortSignal;
  /** Idempotent; never removes a lock that is no longer this one's. */
  release(): Promise<void>;
};

const takeAttempts = 5;

/** Locks are objects `locks/PROJECT-REGION-SERVICE.json` with a lease that their holder renews. */
export function openLocks(store: ObjectStore, owner: LockOwner): Locks {
  return {
    acquire: (places, claim) => acquireAll(store, owner, [places].flat(), claim),
    holder: async (place) => {
      const object = await store.read(lockName(place));
      const holder = object && decodeHolder(object.bytes);
      if (!holder || owner.hasEnded?.(holder) || leaseLeft(holder, owner.now()) <= 0) return undefined;
      return holder;
    },
  };
}

async function acquireAll(
  store: ObjectStore,
  owner: LockOwner,
  places: readonly LockPlace[],
  claim: LockClaim,
): Promise<Lock> {
  // One order for everybody: two commands that want the same services never each hold one of them.
  const ordered = places.toSorted((a, b) => (lockName(a) < lockName(b) ? -1 : 1));
  const lost = new AbortController();
  const leases: Lease[] = [];
  const release = async () => {
    await Promise.all(leases.splice(0).map((lease) => lease.end()));
  };
  try {
    for (const place of ordered) leases.push(await takeLease({ store, owner, place, claim, lost }));
  } catch (error) {
    // The reason matters more than a lock that could not be removed: its lease ends by itself.
    await release().catch(() => {});
    throw error;
  }
  return { lost: lost.signal, release };
}

type Taking = {
  store: ObjectStore;
  owner: LockOwner;
  place: LockPlace;
  claim: LockClaim;
  lost: AbortController;
};

type Lease = { end(): Promise<void> };

async function takeLease(taking: Taking): Promise<Lease> {
  const { store, owner, place, claim } = taking;
  const name = lockName(place);
  for (let attempt = 0; attempt < takeAttempts; attempt += 1) {
    const mine = newHolder(claim, owner);
    const found = await store.read(name);
    if (found) await refuseUnlessAbandoned(taking, found);
    const outcome = found
      ? await store.replace(name, found.generation, encodeHolder(mine))
      : await store.create(name, encodeHolder(mine));
    if (typeof outcome === 'object') return renewed(taking, mine, outcome.generation);
  }
  throw contended(place, store.where(name), claim);
}

/**
 * A lock is taken over from a process that is known to have ended, or after a lease that nobody renewed while it was
 * watched: no clock of another machine decides it.
 */
async function refuseUnlessAbandoned(taking: Taking, found: StoredObject): Promise<void> {
  const { store, owner, place, claim } = taking;
  const name = lockName(place);
  const holderOf = (object: StoredObject) => {
    const holder = decodeHolder(object.bytes);
    if (!holder) throw unreadableLock(place, store.where(name), claim);
    return holder;
  };
  const holder = holderOf(found);
  if (owner.hasEnded?.(holder)) return;
  if (!isDoubtful(holder, owner.now())) throw takenBy(holder, place, claim, owner.now());
  // A living one renews at a third.
  await sleep(holder.leaseMs / 2, undefined, { ...(claim.signal && { signal: claim.signal }) });
  const later = await store.read(name);
  if (later && later.generation !== found.generation) {
    throw takenBy(holderOf(later), place, claim, owner.now());
  }
}

/** A renewal that fails is tried again while the lease lasts; only then, or when it was taken over, it is lost. */
function renewed(taking: Taking, holder: LockHolder, generation: string): Lease {
  const { store, owner, place, claim, lost } = taking;
  const name = lockName(place);
  let renewal = Promise.resolve();
  // Not the time of day, which may jump.
  let renewedAt = performance.now();
  const renew = async () => {
    const next = { ...holder, until: leaseEnd(owner.now(), claim) };
    const askedAt = performance.now();
    const outcome = await store.replace(name, generation, encodeHolder(next)).catch(() => undefined);
    if (typeof outcome === 'object') {
      generation = outcome.generation;
      renewedAt = askedAt;
    } else if (outcome === 'changed' || performance.now() - renewedAt > claim.leaseMs) {
      clearInterval(timer);
      lost.abort(lostLease(place, store.where(name), claim));
    }
  };
  const timer = setInterval(() => {
    renewal = renewal.then(renew);
  }, claim.leaseMs / 3);
  timer.unref();
  return {
    end: async () => {
      clearInterval(timer);
      await renewal;
      await store.remove(name, generation);
    },
  };
}

function lockName({ project, region, service }: LockPlace): string {
  return `locks/${[project, region, service].map(encodeURIComponent).join('-')}.json`;
}
