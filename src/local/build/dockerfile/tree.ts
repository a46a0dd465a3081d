import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, realpath, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { isWithin } from '../within.ts';

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

/**
 * Puts an entry of the folder `source`, without what is in it, over what is at `to` in the folder `root`. `mode`
 * replaces a file's own. Throws when it would lie, or lead, outside of `root`.
 */
export async function copyEntry(
  source: string,
  { name, kind }: Entry,
  root: string,
  to: string,
  mode?: number,
): Promise<void> {
  const from = path.join(source, name);
  if (kind === 'folder') return makeFolder(root, to);
  await makeFolder(root, path.dirname(to));
  const there = await lstat(to).catch(() => undefined);
  if (there && !there.isDirectory()) await rm(to);
  if (kind === 'link') return copyLink(from, root, to);
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, mode ?? (await lstat(from)).mode | constants.S_IWUSR);
}

export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await listTree(from)) await copyEntry(from, entry, to, path.join(to, entry.name));
}

/** Makes a folder, and those above it, within the folder `root`. Throws when a link on the way leads out of it. */
export async function makeFolder(root: string, folder: string): Promise<void> {
  await checkInside(root, folder);
  await mkdir(folder, { recursive: true });
}

/** A relative link may lead out from where it is put; an absolute one names a path of the image, whose sealing judges it. */
async function copyLink(from: string, root: string, to: string): Promise<void> {
  const target = await readlink(from);
  const [top, folder] = await Promise.all([realpath(root), realpath(path.dirname(to))]);
  if (!path.isAbsolute(target) && !isWithin(top, path.resolve(folder, target)))
    throw new Error(`the link '${path.relative(root, to)}' leads out of the folder`);
  await symlink(target, to);
}

/** Throws when a link on the way makes `file`, which need not exist, lie outside of `root`. */
export async function checkInside(root: string, file: string): Promise<void> {
  const real = await realpath(root);
  for (let here = file; here.length >= root.length; here = path.dirname(here)) {
    const found = await realpath(here).catch(() => undefined);
    // What is made by way of a link that leads nowhere yet would lie where it leads.
    if (found === undefined && !(await isThere(here))) continue;
    if (found !== undefined && isWithin(real, found)) return;
    throw new Error(`'${file.slice(root.length)}' leads out of the folder`);
  }
}

function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}
