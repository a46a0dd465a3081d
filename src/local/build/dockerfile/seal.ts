import { lstat, readdir, readlink, rm, rmdir, symlink } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a stage's folder what an image may hold: a link to an absolute path of the image becomes a relative one, so
 * that it holds wherever the folder lies; what overlayfs notes of deleted files, and sockets, go.
 */
export async function sealLayers(root: string): Promise<void> {
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) await walk(file);
      else if (entry.isSymbolicLink()) await makeRelative(root, file);
      else if (entry.isCharacterDevice() || entry.isSocket()) await rm(file);
    }
  };
  await walk(root);
  // Only there for RUN to have a home.
  await rmdir(path.join(root, 'root')).catch(() => {});
}

async function makeRelative(root: string, file: string): Promise<void> {
  const target = await readlink(file);
  if (!path.isAbsolute(target)) return;
  const inImage = path.join(root, target);
  const isThere = await lstat(inImage).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  await rm(file);
  await symlink(path.relative(path.dirname(file), inImage), file);
}
