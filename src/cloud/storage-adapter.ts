import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Storage } from '@google-cloud/storage';
import { invoke, type Limits, once, readMethod, writeMethod } from './call.ts';
import { cloudError } from './errors.ts';
import { type Call, CloudError, type StoragePort } from './ports/index.ts';
import type { Adapter, Session } from './session.ts';

const methods = {
  listBuckets: readMethod('storage.buckets.list', 15_000),
  createBucket: writeMethod('storage.buckets.create', 30_000),
  upload: writeMethod('storage.objects.insert', 300_000),
  read: readMethod('storage.objects.get', 30_000),
};
/** One read gives at most this much; the reader comes back with the next offset. */
const maxRead = 8 << 20;
/** From here on an upload goes in resumable pieces. */
const resumableFrom = 16 << 20;

export function storageAdapter(session: Session): Adapter<StoragePort> {
  const client = once(async (): Promise<Storage> => {
    const { Storage } = await import('@google-cloud/storage');
    return new Storage(await session.storageOptions());
  });
  const on = { client, waiting: session.waiting };
  type Bucket = { project: string; region: string; name: string };

  /** Bucket names are global: only the project's own list shows whose it is. */
  function owned(bucket: Bucket, call: Call): Promise<boolean> {
    return invoke(on, methods.listBuckets, bucket.name, call, async (storage) => {
      const query = { project: bucket.project, prefix: bucket.name, autoPaginate: false };
      const [found] = await storage.getBuckets(query);
      return found.some((one) => one.name === bucket.name);
    });
  }

  const port: StoragePort = {
    async ensureBucket(bucket, call) {
      if (await owned(bucket, call)) return;
      try {
        await invoke(on, methods.createBucket, bucket.name, call, (storage) =>
          storage.createBucket(bucket.name, { location: bucket.region }),
        );
      } catch (error) {
        if (!(error instanceof CloudError) || !mayExist.includes(error.kind)) throw error;
        if (await owned(bucket, call)) return; // Somebody else was faster, or the answer was lost.
        if (error.kind === 'outcome-unknown') throw error;
        const about = { method: methods.createBucket.name, resource: bucket.name };
        throw cloudError('forbidden', `the bucket belongs to another project than ${bucket.project}`, about);
      }
    },

    async upload(to, bytes, call) {
      return invoke(on, methods.upload, objectName(to), call, async (storage, limits) => {
        const file = storage.bucket(to.bucket).file(to.object);
        const target = file.createWriteStream({
          resumable: bytes.length >= resumableFrom,
          timeout: limits.timeoutMs,
        });
        await pipeline(Readable.from([bytes]), target, { signal: limits.signal });
        return { ...to, generation: String(file.metadata.generation ?? '') };
      });
    },

    async readFrom(from, call) {
      return invoke(on, methods.read, objectName(from), call, (storage, limits) =>
        readRange(storage, from, limits).catch(missingOrEmpty),
      );
    },
  };
  return { port, warm: client, close: async () => undefined };
}

const mayExist: readonly CloudError['kind'][] = ['conflict', 'already-exists', 'outcome-unknown'];

/** A ranged media download, which the client's own streams would do with a leak warning and without a signal. */
async function readRange(
  storage: Storage,
  from: { bucket: string; object: string; offset: number },
  limits: Limits,
): Promise<Uint8Array> {
  const place = `b/${encodeURIComponent(from.bucket)}/o/${encodeURIComponent(from.object)}`;
  const { data } = await storage.authClient.request<ArrayBuffer>({
    url: `${storage.baseUrl}/${place}?alt=media`,
    headers: { range: `bytes=${from.offset}-${from.offset + maxRead - 1}` },
    responseType: 'arraybuffer',
    signal: limits.signal,
    retry: false,
  });
  return new Uint8Array(data);
}

/** 404: the object is not there yet; 416: it holds nothing beyond the offset. */
function missingOrEmpty(error: unknown): Uint8Array | undefined {
  const status = error instanceof Error && 'status' in error ? error.status : 0;
  if (status === 404) return undefined;
  if (status === 416) return new Uint8Array();
  throw error;
}

function objectName(object: { bucket: string; object: string }): string {
  return `gs://${object.bucket}/${object.object}`;
}
