/**
 * Where a ledger lies, shaped like a bucket so that a folder and a bucket can stand behind it. Every write
 * is atomic and durable when its promise resolves; `generation` is opaque and names one state of an object.
 */
export type ObjectStore = {
  read(name: string): Promise<StoredObject | undefined>;
  /** Writes only if no object has the name. */
  create(name: string, bytes: Uint8Array): Promise<{ generation: string } | 'exists'>;
  /** Writes only if the object is still the one that was read. */
  replace(name: string, generation: string, bytes: Uint8Array): Promise<{ generation: string } | 'changed'>;
  remove(name: string, generation: string): Promise<'removed' | 'changed'>;
  /** Names that begin with a prefix, sorted. */
  list(prefix: string): Promise<string[]>;
  /** The next part of the names under a prefix that ends in `/` (a list with a delimiter), sorted. */
  folders(prefix: string): Promise<string[]>;
  /** A path or URL that a person can open. */
  where(name: string): string;
};

export type StoredObject = { bytes: Uint8Array; generation: string };

/** Bytes; a ledger's objects are a few kilobytes. */
export const maxObjectBytes = 16 * 1024 * 1024;

const maxNameLength = 512;
const namePart = /^[A-Za-z0-9_][A-Za-z0-9._%-]{0,199}$/;

/** Names are `part/part/…`: no empty part, none that begins with a dot, so none that leaves the store. */
export function isObjectName(name: string): boolean {
  return name.length <= maxNameLength && name.split('/').every((part) => namePart.test(part));
}
