import { once } from 'node:events';
import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { extract, list, type Parser, type ReadEntry } from 'tar';
import { type ArchiveEntry, entryGuard, maxArchiveBytes } from './archive-limits.ts';
import { isWithin } from './within.ts';
import { isZip, unpackZip } from './zip.ts';

const pieceBytes = 64 * 1024;
const kinds: Partial<Record<ReadEntry['type'], ArchiveEntry['kind']>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Directory: 'folder',
  SymbolicLink: 'link',
};

/** Unpacks a source .tgz or .zip into a folder. Throws before anything is written when an entry would leave it. */
export async function unpackSource(archive: Buffer, folder: string): Promise<void> {
  if (isZip(archive)) await unpackZip(archive, folder);
  else await unpackTar(archive, folder);
  await checkLinks(folder);
}

async function unpackTar(archive: Buffer, folder: string): Promise<void> {
  await check(archive);
  await feed(
    extract({ cwd: folder, strict: true, preserveOwner: false, noMtime: true, dmode: 0o755 }),
    archive,
  );
}

async function check(archive: Buffer): Promise<void> {
  const refusalOf = entryGuard();
  let refusal: string | undefined;
  const onReadEntry = (entry: ReadEntry) => {
    refusal ??= refusalOf(describe(entry));
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
    const hasRoom = parser.write(piece);
    const refused = bytes > maxArchiveBytes ? `more than ${maxArchiveBytes} bytes unzipped` : refusal();
    if (refused !== undefined) throw new Error(refused);
    if (failure || isOver) break;
    // It takes any number of pieces, and keeps in memory those that the disk has not taken yet.
    if (!hasRoom) await Promise.race([once(parser, 'drain'), ended]);
  }
  parser.end();
  await ended;
  const refused = refusal();
  if (refused !== undefined) throw new Error(refused);
  if (failure) throw failure;
}

function describe({ path: name, type, size, linkpath }: ReadEntry): ArchiveEntry {
  const kind = kinds[type] ?? 'other';
  return { name, type, kind, size, ...(linkpath !== undefined && { target: linkpath }) };
}

/** A link can lead out by way of another that stays inside; where it leads shows only when all are there. */
async function checkLinks(folder: string): Promise<void> {
  const root = await realpath(folder);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const link = path.join(entry.parentPath, entry.name);
    const target = await realpath(link).catch(() => root);
    if (!isWithin(root, target))
      throw new Error(`the link '${path.relative(folder, link)}' leads out of the source`);
  }
}
