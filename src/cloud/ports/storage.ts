import type { Call } from './call.ts';

/** An object at one generation, as Cloud Build wants its source. */
export type SourceObject = { bucket: string; object: string; generation: string };

export type StoragePort = {
  /** Creates the bucket if it is absent. Throws `forbidden` when it belongs to another project. */
  ensureBucket(bucket: { project: string; region: string; name: string }, call: Call): Promise<void>;
  upload(to: { bucket: string; object: string }, bytes: Uint8Array, call: Call): Promise<SourceObject>;
  /** Bytes from an offset on; undefined while the object does not exist, empty when there is nothing new. */
  readFrom(
    from: { bucket: string; object: string; offset: number },
    call: Call,
  ): Promise<Uint8Array | undefined>;
};
