import { createHash } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import { chmod, lstat, readdir, readlink, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** What npm leaves behind that differs from run to run and that no service reads. */
const leftovers = ['node_modules/.package-lock.json', 'node_modules/.cache', '.npm'];

/**
 * Makes a folder an image's content: leftovers go, files become read-only. Returns a line for each entry
 * (path, kind, execute bit, hash or link target) in one fixed order. Throws when a link leads out of the folder.
 */
export async function sealContent(root: string): Promise<string[]> {
  for (const name of leftovers) await rm(path.join(root, name), { recursive: true, force: true });
  const lines: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(path.join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort(byName)) {
      const name = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) {
        lines.push(JSON.stringify([name, 'folder']));
        await walk(name);
      } else {
        lines.push(JSON.stringify([name, ...(await seal(root, name, entry))]));
      }
    }
  };
  await walk('');
  return lines;
}

async function seal(root: string, name: string, entry: Dirent): Promise<string[]> {
  const file = path.join(root, name);
  if (entry.isSymbolicLink()) {
    const target = await readlink(file);
    const inside = !path.relative(root, path.resolve(path.dirname(file), target)).startsWith('..');
    if (path.isAbsolute(target) || !inside) throw new Error(`the link '${name}' leads out of the image`);
    return ['link', target];
  }
  if (!entry.isFile()) throw new Error(`'${name}' is neither a file nor a folder`);
  const executable = ((await lstat(file)).mode & 0o100) !== 0;
  await chmod(file, executable ? 0o555 : 0o444);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return [executable ? 'executable' : 'file', hash.digest('hex')];
}

function byName(a: Dirent, b: Dirent): number {
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}
