import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, realpath, rm, symlink } from 'node:fs/promises';
import path from 'node:path';

/** Something in a folder, by its path relative to it. */
export type Entry = { name: string; kind: 'folder' | 'file' | 'link' };

const maxEntries = 200_000;

/** Everything in a folder, folders before what is in them. Sockets and devices are no content. */
export async function listTree(root: string): Promise<Entry[]> {
  const found: Entry[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
      const name = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) found.push({ name, kind: 'folder' });
      else if (entry.isFile()) found.push({ name, kind: 'file' });
      else if (entry.isSymbolicLink()) found.push({ name, kind: 'link' });
      if (found.length > maxEntries) throw new Error(`more than ${maxEntries} files and folders`);
      if (entry.isDirectory()) await walk(name);
    }
  };
  await walk('');
  return found;
}

/** Puts an entry, without what is in it, over what is at `to`. `mode` replaces a file's own. */
export async function copyEntry(
  root: string,
  { name, kind }: Entry,
  to: string,
  mode?: number,
): Promise<void> {
  const from = path.join(root, name);
  if (kind === 'folder') {
    await mkdir(to, { recursive: true });
    return;
  }
  await mkdir(path.dirname(to), { recursive: true });
  const there = await lstat(to).catch(() => undefined);
  if (there && !there.isDirectory()) await rm(to);
  if (kind === 'link') return symlink(await readlink(from), to);
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, mode ?? (await lstat(from)).mode | constants.S_IWUSR);
}

export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await listTree(from)) await copyEntry(from, entry, path.join(to, entry.name));
}

/** Throws when a link on the way makes `file`, which need not exist, lie outside of `root`. */
export async function checkInside(root: string, file: string): Promise<void> {
  const real = await realpath(root);
  for (let here = file; here.length >= root.length; here = path.dirname(here)) {
    const found = await realpath(here).catch(() => undefined);
    if (found === undefined) continue;
    if (found === real || found.startsWith(real + path.sep)) return;
    throw new Error(`'${file.slice(root.length)}' leads out of the folder`);
  }
}
