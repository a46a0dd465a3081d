import path from 'node:path';

const maxEntries = 100_000;
const maxUnpackedBytes = 1024 * 1024 * 1024;
/** With the headers, long names and padding of every entry. */
export const maxArchiveBytes = maxUnpackedBytes + maxEntries * 2048;

/** What an entry of an archive is to become; `type` is the archive's own word for it. */
export type ArchiveEntry = {
  name: string;
  type: string;
  kind: 'file' | 'folder' | 'link' | 'other';
  size: number;
  /** Of a link. */
  target?: string;
};

/** Adds up the entries of one archive; says why one may not be unpacked, or that there are too many. */
export function entryGuard(): (entry: ArchiveEntry) => string | undefined {
  let entries = 0;
  let bytes = 0;
  return (entry) => {
    entries += 1;
    bytes += entry.size;
    if (entries > maxEntries) return `more than ${maxEntries} entries`;
    if (bytes > maxUnpackedBytes) return `more than ${maxUnpackedBytes} bytes unpacked`;
    return entryRefusal(entry);
  };
}

function entryRefusal({ name, type, kind, target }: ArchiveEntry): string | undefined {
  if (!staysInside(name)) return `'${name}' leaves the source`;
  if (kind === 'other') return `'${name}' is a ${type}`;
  if (kind !== 'link') return undefined;
  const inside =
    target !== undefined &&
    !path.posix.isAbsolute(target) &&
    staysInside(path.posix.join(path.posix.dirname(name), target));
  return inside ? undefined : `the link '${name}' leads out of the source`;
}

function staysInside(name: string): boolean {
  return (
    !path.posix.isAbsolute(name) &&
    !name.includes('\0') &&
    !path.posix.normalize(name).split('/').includes('..')
  );
}
