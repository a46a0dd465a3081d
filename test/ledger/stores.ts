import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLocal } from '../../src/cloud/connect.ts';
import { type Call, CloudError, type StoragePort } from '../../src/cloud/ports/index.ts';
import { bucketStore } from '../../src/ledger/bucket-store.ts';
import { folderStore } from '../../src/ledger/folder-store.ts';
import type { ObjectStore } from '../../src/ledger/object-store.ts';
import { type LocalCloud, startLocalCloud } from '../../src/local/server.ts';
import { freshFolder } from './processes.ts';

/** Gives the store of one place: what one of them writes the others read. */
export type Place = () => ObjectStore;

export async function folderPlace(): Promise<Place> {
  const folder = await freshFolder();
  return () => folderStore(folder);
}

const call: Call = { signal: new AbortController().signal };

export type Buckets = {
  cloud: LocalCloud;
  storage: StoragePort;
  /** A prefix of its own in the one bucket. */
  place(change?: (storage: StoragePort) => StoragePort): Place;
  close(): Promise<void>;
};

const bucket = { project: 'demo', region: 'europe-west1', name: 'demo-ledger' };
let places = 0;

export async function openBuckets(): Promise<Buckets> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-buckets-'));
  const cloud = await startLocalCloud({ home: join(folder, 'home'), images: { resolve: () => undefined } });
  const connection = await connectLocal({ port: cloud.port, project: bucket.project });
  const { storage } = connection;
  const make = () => storage.ensureBucket(bucket, call);
  await make();
  return {
    cloud,
    storage,
    place(change = (port) => port) {
      places += 1;
      const prefix = `team/${places}`;
      return () =>
        bucketStore({ bucket: bucket.name, prefix, storage: change(storage), make, makeCommand: 'gcloud …' });
    },
    async close() {
      await connection.close();
      await cloud.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A storage whose next writes take effect (or do not) and whose answers are lost. */
export function losingAnswers(storage: StoragePort, effects: boolean[]): StoragePort {
  const lose = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const takesEffect = effects.shift();
    if (takesEffect === undefined) return act();
    if (takesEffect) await act().catch(() => undefined);
    throw new CloudError('outcome-unknown', { method: name, resource: '', said: 'the answer was lost' });
  };
  return {
    ...storage,
    write: (...args) => lose('write', () => storage.write(...args)),
    remove: (...args) => lose('remove', () => storage.remove(...args)),
  };
}
