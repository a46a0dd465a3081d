import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Storage } from '@google-cloud/storage';
import { z } from 'zod';
import { invoke, type Limits, once, readMethod, writeMethod } from './call.ts';
import { cloudError } from './errors.ts';
import { type Call, CloudError, type ObjectPlace, type StoragePort } from './ports/index.ts';
import { quotaRead, quotaWrite } from './retry.ts';
import type { Adapter, Session } from './session.ts';

const methods = {
  listBuckets: readMethod('storage.buckets.list', 15_000),
  createBucket: writeMethod('storage.buckets.create', 30_000),
  upload: writeMethod('storage.objects.insert', 300_000),
  read: readMethod('storage.objects.get', 30_000),
  list: readMethod('storage.objects.list', 30_000, quotaRead),
  write: writeMethod('storage.objects.insert', 30_000, quotaWrite),
  remove: writeMethod('storage.objects.delete', 15_000, quotaWrite),
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
        return { ...to, generation: await send(storage, to, bytes, limits) };
      });
    },

    async readFrom({ offset, ...at }, call) {
      return invoke(on, methods.read, objectName(at), call, async (storage, limits) => {
        const found = await readRange(storage, at, { offset, length: maxRead }, limits);
        return found?.bytes;
      });
    },

    async read({ maxBytes, ...at }, call) {
      const found = await invoke(on, methods.read, objectName(at), call, (storage, limits) =>
        readRange(storage, at, { offset: 0, length: maxBytes + 1 }, limits),
      );
      if (!found || found.bytes.length <= maxBytes) return found;
      const about = { method: methods.read.name, resource: objectName(at) };
      throw cloudError('invalid', `it has more than ${maxBytes} bytes`, about);
    },

    async write({ ifGeneration, ...at }, bytes, call) {
      return invoke(on, methods.write, objectName(at), call, async (storage, limits) => ({
        generation: await send(storage, at, bytes, limits, ifGeneration),
      }));
    },

    async remove({ ifGeneration, ...at }, call) {
      await invoke(on, methods.remove, objectName(at), call, (storage) =>
        storage.bucket(at.bucket).file(at.object).delete({ ifGenerationMatch: ifGeneration }),
      );
    },

    async list({ bucket, prefix, delimiter }, call) {
      const found = { objects: [] as string[], prefixes: [] as string[] };
      let pageToken: string | undefined;
      do {
        const page = await invoke(on, methods.list, objectName({ bucket, object: prefix }), call, (storage) =>
          listPage(storage, bucket, {
            prefix,
            ...(delimiter && { delimiter }),
            ...(pageToken && { pageToken }),
          }),
        );
        found.objects.push(...page.objects);
        found.prefixes.push(...page.prefixes);
        pageToken = page.next;
      } while (pageToken);
      return found;
    },
  };
  return { port, warm: client, close: async () => undefined };
}

const mayExist: readonly CloudError['kind'][] = ['conflict', 'already-exists', 'outcome-unknown'];

/** The new object's generation. `ifGeneration`: only over that one. */
async function send(
  storage: Storage,
  to: ObjectPlace,
  bytes: Uint8Array,
  limits: Limits,
  ifGeneration?: string,
): Promise<string> {
  const file = storage.bucket(to.bucket).file(to.object);
  const target = file.createWriteStream({
    resumable: bytes.length >= resumableFrom,
    timeout: limits.timeoutMs,
    ...(ifGeneration === undefined ? {} : { preconditionOpts: { ifGenerationMatch: ifGeneration } }),
  });
  await pipeline(Readable.from([bytes]), target, { signal: limits.signal });
  return String(file.metadata.generation ?? '');
}

type Content = { bytes: Uint8Array; generation: string };

/** A ranged media download, which the client's own streams would do with a leak warning and without a signal. */
async function readRange(
  storage: Storage,
  from: ObjectPlace,
  { offset, length }: { offset: number; length: number },
  limits: Limits,
): Promise<Content | undefined> {
  const place = `b/${encodeURIComponent(from.bucket)}/o/${encodeURIComponent(from.object)}`;
  try {
    const { data, headers } = await storage.authClient.request<ArrayBuffer>({
      url: `${storage.baseUrl}/${place}?alt=media`,
      headers: { range: `bytes=${offset}-${offset + length - 1}` },
      responseType: 'arraybuffer',
      signal: limits.signal,
      retry: false,
    });
    return { bytes: new Uint8Array(data), generation: headers.get('x-goog-generation') ?? '' };
  } catch (error) {
    return missingOrEmpty(error);
  }
}

/** 404: the object is not there yet; 416: it holds nothing beyond the offset. */
function missingOrEmpty(error: unknown): Content | undefined {
  const status = error instanceof Error && 'status' in error ? error.status : 0;
  if (status === 404) return undefined;
  if (status === 416) return { bytes: new Uint8Array(), generation: '' };
  throw error;
}

const pageSchema = z.object({
  items: z.array(z.object({ name: z.string() })).default([]),
  prefixes: z.array(z.string()).default([]),
  nextPageToken: z.string().optional(),
});

async function listPage(
  storage: Storage,
  bucket: string,
  query: { prefix: string; delimiter?: string; pageToken?: string },
): Promise<{ objects: string[]; prefixes: string[]; next: string | undefined }> {
  const [, , answer] = await storage.bucket(bucket).getFiles({ ...query, autoPaginate: false });
  const { items, prefixes, nextPageToken } = pageSchema.parse(answer);
  return { objects: items.map(({ name }) => name), prefixes, next: nextPageToken };
}

function objectName(object: ObjectPlace): string {
  return `gs://${object.bucket}/${object.object}`;
}
