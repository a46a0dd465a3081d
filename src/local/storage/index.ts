import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { StorageError } from './errors.ts';
import { StorageHttp } from './http.ts';
import { ObjectStore, type StoredObject } from './objects.ts';
import { stage } from './staged.ts';

export type StorageBackend = {
  /** Answers a request of the JSON API; false when the URL is none of Storage's. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Creates the bucket for the project unless it is there. Throws when another project has it. */
  ensureBucket(name: string, project: string, location: string): void;
  /** undefined: no such bucket, object or generation. */
  readObject(bucket: string, object: string, generation?: string): Promise<Buffer | undefined>;
  /** The bucket must exist. */
  writeObject(
    bucket: string,
    object: string,
    bytes: Uint8Array,
    settings?: { contentType: string },
  ): Promise<StoredObject>;
  stop(): Promise<void>;
};

/** Cloud Storage of the local cloud; all state lies under `home`. */
export function openStorage(options: { home: string }): StorageBackend {
  const store = new ObjectStore(path.join(options.home, 'storage'));
  const http = new StorageHttp(store);
  return {
    handle: (request, response) => http.handle(request, response),
    ensureBucket(name, project, location) {
      const there = store.listBuckets(project, name).some((bucket) => bucket.name === name);
      if (!there) store.createBucket(name, project, location);
    },
    async readObject(bucket, name, generation) {
      const object = findObject(store, bucket, name, generation);
      return object && readFile(store.contentPath(object));
    },
    async writeObject(bucket, name, bytes, settings = { contentType: 'application/octet-stream' }) {
      const content = await stage(store.staging, once(bytes));
      return store.commit({ bucket, name }, content, settings, {});
    },
    stop: () => http.stop(),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function findObject(store: ObjectStore, bucket: string, name: string, generation: string | undefined) {
  try {
    return store.find(bucket, name, generation);
  } catch (error) {
    if (error instanceof StorageError) return undefined;
    throw error;
  }
}
