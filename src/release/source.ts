import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SluiceError } from '../errors.ts';

/** A source folder as it is uploaded: the same files give the same bytes, whoever packs them. */
export type PackedSource = { archive: Uint8Array; hash: string; files: number; bytes: number };

const limits = { files: 50_000, bytes: 512 * 1024 * 1024 };

/** Never part of the upload or of the hash, whatever the ignore files say. */
const always = ['.git/', '.sluice/', 'node_modules/'];

/**
 * Packs a folder as gcloud does: by .gcloudignore, or without one by .gitignore.
 * @see https://cloud.google.com/sdk/gcloud/reference/topic/gcloudignore
 */
export async function packSource(root: string, signal: AbortSignal): Promise<PackedSource> {
  const files = await listSource(root);
  if (files.length === 0) throw unpackable(root, 'It has no files to upload.', 'check its .gcloudignore');
  const { create } = await import('tar');
  const chunks: Buffer[] = [];
  const pack = create({ cwd: root, portable: true, mtime: new Date(0), noDirRecurse: true }, files);
  let bytes = 0;
  for await (const chunk of pack) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (bytes > limits.bytes) {
      throw unpackable(
        root,
        `It is over ${limits.bytes >> 20} MiB.`,
        'exclude what the build does not need in .gcloudignore',
      );
    }
    chunks.push(chunk);
  }
  const plain = Buffer.concat(chunks);
  const hash = `sha256:${createHash('sha256').update(plain).digest('hex')}`;
  return { archive: gzipSync(plain), hash, files: files.length, bytes };
}

/** The paths that a build gets, relative to the folder and sorted. */
export async function listSource(root: string): Promise<string[]> {
  return listFiles(root, await readIgnores(root));
}

type Ignore = { ignores(path: string): boolean };

async function readIgnores(root: string): Promise<Ignore> {
  const { default: ignore } = await import('ignore');
  const never = ignore().add(always);
  const rules = ignore();
  const own = await readIfThere(join(root, '.gcloudignore'));
  if (own === undefined) rules.add((await readIfThere(join(root, '.gitignore'))) ?? '');
  for (const line of own?.split('\n') ?? []) {
    const include = /^#!include:(.+)$/.exec(line.trim())?.[1];
    rules.add(include ? ((await readIfThere(join(root, include.trim()))) ?? '') : line);
  }
  return { ignores: (path) => never.ignores(path) || rules.ignores(path) };
}

async function readIfThere(file: string): Promise<string | undefined> {
  return fs.readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Sorted relative paths of files and links. A link that loops or points outside cannot be built elsewhere. */
async function listFiles(root: string, rules: Ignore): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const item of await readFolder(root, folder)) {
      const path = folder ? `${folder}/${item.name}` : item.name;
      if (rules.ignores(item.isDirectory() ? `${path}/` : path)) continue;
      if (item.isDirectory()) await walk(path);
      else if (item.isFile() || (await usableLink(root, path, item.isSymbolicLink()))) found.push(path);
      if (found.length > limits.files) {
        throw unpackable(
          root,
          `It has over ${limits.files} files.`,
          'exclude what the build does not need in .gcloudignore',
        );
      }
    }
  };
  await walk('');
  for (const path of found) {
    await fs.access(join(root, path), fs.constants.R_OK).catch((error: NodeJS.ErrnoException) => {
      throw unpackable(root, `${path} cannot be read (${error.code}).`, `chmod u+r ${join(root, path)}`);
    });
  }
  return found.sort();
}

async function readFolder(root: string, folder: string) {
  try {
    return await fs.readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (folder === '' && code === 'ENOENT') {
      throw unpackable(root, 'The folder does not exist.', 'set `source` of the service in sluice.yaml');
    }
    throw unpackable(root, `${folder || '.'} cannot be read (${code}).`, `chmod u+rx ${join(root, folder)}`);
  }
}

async function usableLink(root: string, path: string, isLink: boolean): Promise<boolean> {
  // Sockets, pipes and devices are not source.
  if (!isLink) return false;
  const remedy = `remove the link, or exclude ${path} in .gcloudignore`;
  try {
    const outside =
      relative(await fs.realpath(root), await fs.realpath(join(root, path))).split(sep)[0] === '..';
    if (outside) throw unpackable(root, `The symbolic link ${path} points outside the folder.`, remedy);
    return true;
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const fault = code === 'ELOOP' ? 'is a loop' : 'points to nothing';
    throw unpackable(root, `The symbolic link ${path} ${fault} (${code}).`, remedy);
  }
}

function unpackable(root: string, why: string, next: string): SluiceError {
  return new SluiceError('preflight', { what: `The source ${root} cannot be packed.`, why, next: [next] });
}
