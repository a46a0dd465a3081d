import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { extract, list, type Parser, type ReadEntry } from 'tar';

const maxEntries = 100_000;
const maxUnpackedBytes = 1024 * 1024 * 1024;
/** With the headers, long names and padding of every entry. */
const maxArchiveBytes = maxUnpackedBytes + maxEntries * 2048;
const pieceBytes = 64 * 1024;

/** Unpacks a source .tgz into a folder. Throws before anything is written when an entry would leave it. */
export async function unpackSource(archive: Buffer, folder: string): Promise<void> {
  await check(archive);
  await feed(
    extract({ cwd: folder, strict: true, preserveOwner: false, noMtime: true, dmode: 0o755 }),
    archive,
  );
}

async function check(archive: Buffer): Promise<void> {
  let entries = 0;
  let bytes = 0;
  let refusal: string | undefined;
  const onReadEntry = (entry: ReadEntry) => {
    entries += 1;
    bytes += entry.size;
    refusal ??= entryRefusal(entry);
    if (entries > maxEntries) refusal ??= `more than ${maxEntries} entries`;
    if (bytes > maxUnpackedBytes) refusal ??= `more than ${maxUnpackedBytes} bytes unpacked`;
  };
  await feed(list({ strict: true, onReadEntry }), archive, () => refusal);
}

/**
 * Unzips the archive piece by piece, off this thread, so that one that unpacks to far more is noticed early and holds
 * nothing else up.
 */
async function feed(
  parser: Parser,
  archive: Buffer,
  refusal: () => string | undefined = () => undefined,
): Promise<void> {
  let failure: Error | undefined;
  let isOver = false;
  // What follows is no part of the archive, and the parser would gather all of it.
  parser.on('eof', () => {
    isOver = true;
  });
  const ended = new Promise<void>((resolve) => {
    parser.on('end', resolve);
    parser.on('error', (error: Error) => {
      failure ??= error;
      resolve();
    });
  });
  const unzipped = createGunzip({ chunkSize: pieceBytes });
  unzipped.end(archive);
  let bytes = 0;
  for await (const piece of unzipped as AsyncIterable<Buffer>) {
    bytes += piece.length;
    parser.write(piece);
    const refused = bytes > maxArchiveBytes ? `more than ${maxArchiveBytes} bytes unzipped` : refusal();
    if (refused !== undefined) throw new Error(refused);
    if (failure || isOver) break;
  }
  parser.end();
  await ended;
  const refused = refusal();
  if (refused !== undefined) throw new Error(refused);
  if (failure) throw failure;
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
