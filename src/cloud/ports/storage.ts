import type { Call } from './call.ts';

/** An object at one generation, as Cloud Build wants its source. */
export type SourceObject = { bucket: string; object: string; generation: string };

export type ObjectPlace = { bucket: string; object: string };

export type StoragePort = {
  /** Creates the bucket if it is absent. Throws `forbidden` when it belongs to another project. */
  ensureBucket(bucket: { project: string; region: string; name: string }, call: Call): Promise<void>;
  upload(to: { bucket: string; object: string }, bytes: Uint8Array, call: Call): Promise<SourceObject>;
  /** Bytes from an offset on; undefined while the object does not exist, empty when there is nothing new. */
  readFrom(
    from: { bucket: string; object: string; offset: number },
    call: Call,
  ): Promise<Uint8Array | undefined>;
  /** A whole object of at most `maxBytes`, and the generation it has; undefined when there is none. */
  read(
    at: ObjectPlace & { maxBytes: number },
    call: Call,
  ): Promise<{ bytes: Uint8Array; generation: string } | undefined>;
  /**
   * Writes only if the object has this generation, `0`: if there is none. Throws `precondition` when it has another,
   * `not-found` when there is no such bucket. Takes effect at most once, so it is safe to try again.
   */
  write(
    at: ObjectPlace & { ifGeneration: string },
    bytes: Uint8Array,
    call: Call,
  ): Promise<{ generation: string }>;
  /** Removes only this generation. Throws `precondition` or `not-found`. */
  remove(at: ObjectPlace & { ifGeneration: string }, call: Call): Promise<void>;
  /** Names that begin with a prefix, sorted; with a delimiter those beyond it are folded into prefixes. */
  list(
    of: { bucket: string; prefix: string; delimiter?: string },
    call: Call,
  ): Promise<{ objects: string[]; prefixes: string[] }>;
};
