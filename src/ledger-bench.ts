import type { Cloud } from './cloud/ports/index.ts';
import type { LedgerPlace } from './config/ledger-place.ts';
import { folderStore } from './ledger/folder-store.ts';
import { type Ledger, openLedger } from './ledger/ledger.ts';
import { type Locks, openLocks } from './ledger/lock.ts';
import type { ObjectStore } from './ledger/object-store.ts';
import { openStatements, type Statements } from './ledger/statements.ts';
import { hasEndedHere, thisHost } from './ledger/this-process.ts';

/** What lies in one ledger. */
export type LedgerBench = {
  ledger: Ledger;
  locks: Locks;
  /** Signatures and approvals. */
  statements: Statements;
};

export function ledgerBench(store: ObjectStore): LedgerBench {
  const now = (): Date => new Date();
  return {
    ledger: openLedger(store, { now, random: Math.random }),
    locks: openLocks(store, { now, host: thisHost(), pid: process.pid, hasEnded: hasEndedHere }),
    statements: openStatements(store),
  };
}

/** Where a bucket is reached, and where it is made. */
export type BucketAccess = { cloud: Cloud; project: string; region: string };

/** The store at a place. Only a bucket asks for a cloud; the local one makes it on demand. */
export async function openStore(
  place: LedgerPlace,
  access: () => Promise<BucketAccess>,
): Promise<ObjectStore> {
  if (place.kind === 'folder') return folderStore(place.path);
  const { bucketStore } = await import('./ledger/bucket-store.ts');
  const { cloud, project, region } = await access();
  const { bucket: name } = place;
  const signal = new AbortController().signal;
  const make = () => cloud.storage.ensureBucket({ project, region, name }, { signal });
  return bucketStore({
    ...place,
    storage: cloud.storage,
    ...(cloud.kind === 'local' ? { make } : {}),
    makeCommand: `gcloud storage buckets create gs://${name} --project=${project} --location=${region} --uniform-bucket-level-access`,
  });
}
