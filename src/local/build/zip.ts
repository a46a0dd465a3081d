import { constants, createWriteStream } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';
import { type ArchiveEntry, entryGuard } from './archive-limits.ts';

const maxTargetBytes = 4096;
/** The file types of a Unix mode; a zip keeps the mode in the upper half of an entry's external attributes. */
const kinds = new Map<number, Pick<ArchiveEntry, 'kind' | 'type'>>([
  [0, { kind: 'file', type: 'File' }],
  [constants.S_IFREG, { kind: 'file', type: 'File' }],
  [constants.S_IFDIR, { kind: 'folder', type: 'Directory' }],
  [constants.S_IFLNK, { kind: 'link', type: 'SymbolicLink' }],
  [constants.S_IFCHR, { kind: 'other', type: 'CharacterDevice' }],
  [constants.S_IFBLK, { kind: 'other', type: 'BlockDevice' }],
  [constants.S_IFIFO, { kind: 'other', type: 'FIFO' }],
  [constants.S_IFSOCK, { kind: 'other', type: 'Socket' }],
]);

export function isZip(archive: Buffer): boolean {
  return archive.subarray(0, 2).toString('latin1') === 'PK';
}

/** Unpacks a .zip into a folder. Throws before anything is written when an entry would leave it. */
export async function unpackZip(archive: Buffer, folder: string): Promise<void> {
  const zip = await fromBufferPromise(archive, { lazyEntries: true, autoClose: false });
  try {
    const entries: { entry: Entry; is: ArchiveEntry }[] = [];
    const refusalOf = entryGuard();
    for await (const entry of zip.eachEntry()) {
      const is = await describe(zip, entry);
      const refusal = refusalOf(is);
      if (refusal !== undefined) throw new Error(refusal);
      entries.push({ entry, is });
    }
    const links = new Set(entries.filter(({ is }) => is.kind === 'link').map(({ is }) => is.name));
    const through = entries.find(({ is }) => foldersAbove(is.name).some((above) => links.has(above)));
    if (through) throw new Error(`'${through.is.name}' lies behind a link`);
    for (const { entry, is } of entries) await write(zip, entry, is, folder);
  } finally {
    zip.close();
  }
}

async function describe(zip: ZipFile, entry: Entry): Promise<ArchiveEntry> {
  const mode = entry.externalFileAttributes >>> 16;
  const format = entry.fileName.endsWith('/') ? constants.S_IFDIR : mode & constants.S_IFMT;
  const { kind, type } = kinds.get(format) ?? { kind: 'other', type: `file of mode ${mode.toString(8)}` };
  const name = path.posix.normalize(entry.fileName).replace(/\/$/, '');
  const is: ArchiveEntry = { name, kind, type, size: entry.uncompressedSize };
  if (kind !== 'link') return is;
  if (entry.uncompressedSize > maxTargetBytes) throw new Error(`the link '${name}' is too long`);
  return { ...is, target: await text(await zip.openReadStreamPromise(entry)) };
}

async function write(
  zip: ZipFile,
  entry: Entry,
  { name, kind, target }: ArchiveEntry,
  folder: string,
): Promise<void> {
  const file = path.join(folder, name);
  if (kind === 'folder') {
    await mkdir(file, { recursive: true });
    return;
  }
  await mkdir(path.dirname(file), { recursive: true });
  if (target !== undefined) return symlink(target, file);
  const executable = ((entry.externalFileAttributes >>> 16) & constants.S_IXUSR) !== 0;
  // It ends with an error when there is more, or less, than the entry's size.
  await pipeline(
    await zip.openReadStreamPromise(entry),
    createWriteStream(file, { flags: 'wx', mode: executable ? 0o755 : 0o644 }),
  );
}

function foldersAbove(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}
