import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, CloudError, type StoragePort } from '../cloud/ports/index.ts';
import { SluiceError } from '../errors.ts';
import { isObjectName, maxObjectBytes, type ObjectStore, type StoredObject } from './object-store.ts';

export type BucketOptions = {
  bucket: string;
  /** Parts of names before the ledger's own, without a slash at its ends; '' for none. */
  prefix: string;
  storage: StoragePort;
  /** Makes the bucket where it may be made on demand; without it a missing one is told. */
  make?: () => Promise<void>;
  /** What makes the bucket by hand: a command to type. */
  makeCommand: string;
};

const attempts = 4;
const pauseMs = 250;

/**
 * Objects of a Cloud Storage bucket. Every write stands under a precondition on the generation, so it takes effect
 * at most once and may be tried again; after an answer was lost the object is read, and our own bytes are known.
 */
export function bucketStore(options: BucketOptions): ObjectStore {
  const { storage, bucket, prefix } = options;
  // A release that is interrupted still records its end: only the calls' own deadlines end them.
  const call: Call = { signal: new AbortController().signal };
  const base = prefix === '' ? '' : `${prefix}/`;
  const where = (name: string): string => `gs://${bucket}/${base}${name}`;
  const placeOf = (name: string) => {
    if (!isObjectName(name)) throw new Error(`'${name}' is not a name of a ledger object`);
    return { bucket, object: `${base}${name}` };
  };

  const read = async (name: string): Promise<StoredObject | undefined> => {
    const at = { ...placeOf(name), maxBytes: maxObjectBytes };
    return explained(options, where(name), () => storage.read(at, call));
  };

  /** `lost`: an earlier try may have done it, which is seen by what is there now. */
  const write = async (name: string, ifGeneration: string, bytes: Uint8Array) => {
    const at = { ...placeOf(name), ifGeneration };
    if (bytes.length > maxObjectBytes)
      throw new Error(`${bytes.length} bytes are too many: a ledger object has at most ${maxObjectBytes}`);
    return tryAgain(async (lost) => {
      try {
        return await storage.write(at, bytes, call);
      } catch (error) {
        if (!isKind(error, 'precondition')) throw error;
        const found = lost ? await storage.read({ ...at, maxBytes: maxObjectBytes }, call) : undefined;
        if (found && Buffer.compare(found.bytes, bytes) === 0) return { generation: found.generation };
        return undefined;
      }
    });
  };

  return {
    read,
    create: (name, bytes) =>
      explained(options, where(name), async () => (await write(name, '0', bytes)) ?? 'exists'),
    replace: (name, generation, bytes) =>
      explained(options, where(name), async () => (await write(name, generation, bytes)) ?? 'changed'),
    remove: (name, generation) =>
      explained(options, where(name), () =>
        tryAgain(async (lost) => {
          try {
            await storage.remove({ ...placeOf(name), ifGeneration: generation }, call);
            return 'removed';
          } catch (error) {
            if (isKind(error, 'not-found')) return lost ? 'removed' : 'changed';
            if (isKind(error, 'precondition')) return 'changed';
            throw error;
          }
        }),
      ),
    list: async (under) => {
      const query = { bucket, prefix: `${base}${under}` };
      const { objects } = await explained(options, where(under), () => storage.list(query, call));
      return objects.map((object) => object.slice(base.length)).filter(isObjectName);
    },
    folders: async (under) => {
      const query = { bucket, prefix: `${base}${under}`, delimiter: '/' };
      const { prefixes } = await explained(options, where(under), () => storage.list(query, call));
      return prefixes.map((found) => found.slice(query.prefix.length, -1)).filter(isObjectName);
    },
    where,
  };
}

/** Makes a write again whose outcome is unknown; a precondition on its generation must make that safe. */
async function tryAgain<T>(attempt: (lost: boolean) => Promise<T>): Promise<T> {
  for (let failed = 0; ; failed += 1) {
    try {
      return await attempt(failed > 0);
    } catch (error) {
      if (!isKind(error, 'outcome-unknown') || failed + 1 >= attempts) throw error;
      await sleep(pauseMs * 2 ** failed);
    }
  }
}

function isKind(error: unknown, kind: CloudError['kind']): boolean {
  return error instanceof CloudError && error.kind === kind;
}

/** A missing bucket is made where it may be, once; what else is refused is told with what to type. */
async function explained<T>(options: BucketOptions, where: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    const { make, ...rest } = options;
    if (error.kind !== 'not-found' || !make) throw refusal(options, where, error);
    await make();
    return explained(rest, where, act);
  }
}

function refusal({ bucket, makeCommand }: BucketOptions, where: string, error: CloudError): SluiceError {
  const cause = { cause: error };
  switch (error.kind) {
    case 'not-found':
      return new SluiceError(
        'preflight',
        {
          what: `The bucket of the ledger, gs://${bucket}, does not exist.`,
          why: error.said,
          next: [makeCommand, 'or correct `ledger:` in sluice.yaml'],
        },
        cause,
      );
    case 'forbidden':
    case 'unauthenticated':
      return new SluiceError(
        'preflight',
        {
          what: `The ledger ${where} may not be used: ${error.said}`,
          why: 'Who deploys needs to read, make and remove objects of that bucket.',
          next: [
            `gcloud storage buckets add-iam-policy-binding gs://${bucket} --member=user:YOU --role=roles/storage.objectUser`,
          ],
        },
        cause,
      );
    default:
      return new SluiceError(
        'unknown',
        {
          what: `The ledger failed at ${where}`,
          why: error.said,
          next: ['run the command again when Cloud Storage can be reached'],
        },
        cause,
      );
  }
}
