import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, list, type ReadEntry } from 'tar';

const maxEntries = 100_000;
const maxUnpackedBytes = 1024 * 1024 * 1024;

/** Unpacks a source .tgz into a folder. Throws before anything is written when an entry would leave it. */
export async function unpackSource(archive: Buffer, folder: string): Promise<void> {
  let entries = 0;
  let bytes = 0;
  let refusal: string | undefined;
  const check = (entry: ReadEntry) => {
    entries += 1;
    bytes += entry.size;
    refusal ??= entryRefusal(entry);
    if (entries > maxEntries) refusal ??= `more than ${maxEntries} entries`;
    if (bytes > maxUnpackedBytes) refusal ??= `more than ${maxUnpackedBytes} bytes unpacked`;
    if (refusal !== undefined) throw new Error(refusal);
  };
  await pipeline(Readable.from(slices(archive)), list({ strict: true, onReadEntry: check }));
  await pipeline(
    Readable.from(slices(archive)),
    extract({ cwd: folder, strict: true, preserveOwner: false, noMtime: true, dmode: 0o755 }),
  );
}

/** Why an entry is not unpacked; undefined when it may be. */
function entryRefusal({ path: name, type, linkpath }: ReadEntry): string | undefined {
  if (!staysInside(name)) return `'${name}' leaves the source`;
  switch (type) {
    case 'File':
    case 'OldFile':
    case 'ContiguousFile':
    case 'Directory':
      return undefined;
    case 'SymbolicLink':
      return linkpath !== undefined &&
        !path.posix.isAbsolute(linkpath) &&
        staysInside(path.posix.join(path.posix.dirname(name), linkpath))
        ? undefined
        : `the link '${name}' leads out of the source`;
    default:
      return `'${name}' is a ${type}`;
  }
}

function staysInside(name: string): boolean {
  return !path.posix.isAbsolute(name) && !path.posix.normalize(name).split('/').includes('..');
}

/** In pieces, so that an archive that unpacks to far more is noticed early. */
function* slices(archive: Buffer): Generator<Buffer> {
  const size = 64 * 1024;
  for (let at = 0; at < archive.length; at += size) yield archive.subarray(at, at + size);
}
