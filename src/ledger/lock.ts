import {
  contended,
  decodeHolder,
  encodeHolder,
  isAbandoned,
  isExpired,
  type LockClaim,
  type LockHolder,
  type LockOwner,
  type LockPlace,
  leaseEnd,
  lostLease,
  newHolder,
  takenBy,
  unreadableLock,
} from './lock-holder.ts';
import type { ObjectStore } from './object-store.ts';

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
      return holder && !isAbandoned(holder, owner) ? holder : undefined;
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
    if (found) refuseUnlessAbandoned(taking, found.bytes);
    const outcome = found
      ? await store.replace(name, found.generation, encodeHolder(mine))
      : await store.create(name, encodeHolder(mine));
    if (typeof outcome === 'object') return renewed(taking, mine, outcome.generation);
  }
  throw contended(place, store.where(name), claim);
}

function refuseUnlessAbandoned({ store, owner, place, claim }: Taking, bytes: Uint8Array): void {
  const holder = decodeHolder(bytes);
  if (!holder) throw unreadableLock(place, store.where(lockName(place)), claim);
  if (!isAbandoned(holder, owner)) throw takenBy(holder, place, claim, owner.now());
}

/** A renewal that fails is tried again while the lease lasts; only then, or when it was taken over, it is lost. */
function renewed(taking: Taking, holder: LockHolder, generation: string): Lease {
  const { store, owner, place, claim, lost } = taking;
  const name = lockName(place);
  let renewal = Promise.resolve();
  const renew = async () => {
    const next = { ...holder, until: leaseEnd(owner.now(), claim) };
    const outcome = await store.replace(name, generation, encodeHolder(next)).catch(() => undefined);
    if (typeof outcome === 'object') {
      holder = next;
      generation = outcome.generation;
    } else if (outcome === 'changed' || isExpired(holder, owner.now())) {
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
