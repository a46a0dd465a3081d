import { readFile, readlink, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type Dockerignore from '@balena/dockerignore';
import { copyEntry, type Entry, listTree } from './tree.ts';

// Its types say ESM, its code is CommonJS: only `require` has both right.
const dockerignore: typeof Dockerignore.default = createRequire(import.meta.url)('@balena/dockerignore');

/** What COPY takes from: the build's context, or the files of a stage or an image. */
export type CopySource = { root: string; entries: Entry[] };

/** The context without what its `.dockerignore` (or `FILE.dockerignore`) leaves out. */
export async function openContext(root: string, dockerfile: string): Promise<CopySource> {
  const rules =
    (await readOptional(`${dockerfile}.dockerignore`)) ??
    (await readOptional(path.join(root, '.dockerignore')));
  const entries = await listTree(root);
  for (const entry of entries) await checkLink(root, entry);
  if (rules === undefined) return { root, entries };
  const ignored = dockerignore().add(rules.split(/\r?\n/));
  return { root, entries: entries.filter(({ name }) => !ignored.ignores(name)) };
}

/** A link of a source archive stays inside; one that a step made must too, or a file of this machine is copied. */
async function checkLink(root: string, { name, kind }: Entry): Promise<void> {
  if (kind !== 'link') return;
  const target = await readlink(path.join(root, name));
  const inside = path.posix.normalize(path.posix.join(path.posix.dirname(name), target));
  if (path.isAbsolute(target) || inside.startsWith('..'))
    throw new Error(`the link '${name}' leads out of the build context`);
}

/**
 * `COPY sources… destination` into the folder `root`. A folder's content is copied, not itself. Throws an Error in
 * Docker's words.
 */
export async function copyInto(
  root: string,
  source: CopySource,
  copy: { sources: string[]; destination: string; workdir: string; mode?: number },
): Promise<void> {
  const { destination, workdir, mode } = copy;
  const found = copy.sources.flatMap((pattern) => matching(source, pattern));
  const asFolder = destination.endsWith('/') || destination === '.' || destination.endsWith('/.');
  if (copy.sources.length > 1 && !asFolder)
    throw new Error(
      'When using COPY with more than one source file, the destination must be a directory and end with a /',
    );
  const target = path.join(root, path.posix.resolve('/', workdir, destination));
  for (const entry of found) {
    if (entry.kind === 'folder') await copyContent(source, entry.name, { root, target }, mode);
    else {
      const into = asFolder || (await isFolder(target)) || found.length > 1;
      await copyEntry(
        source.root,
        entry,
        root,
        into ? path.join(target, path.posix.basename(entry.name)) : target,
        mode,
      );
    }
  }
}

function matching({ entries }: CopySource, pattern: string): Entry[] {
  const name = path.posix.normalize(`/${pattern}`).slice(1).replace(/\/$/, '');
  if (pattern.split('/').includes('..'))
    throw new Error(`forbidden path outside the build context: ${pattern}`);
  if (name === '') return [{ name: '', kind: 'folder' }];
  const isGlob = /[*?[]/.test(name);
  const depth = name.split('/').length;
  const found = entries.filter((entry) =>
    isGlob
      ? entry.name.split('/').length === depth && path.posix.matchesGlob(entry.name, name)
      : entry.name === name,
  );
  if (found.length > 0) return found;
  // A folder that is left out itself may hold files that are not.
  if (entries.some((entry) => entry.name.startsWith(`${name}/`))) return [{ name, kind: 'folder' }];
  throw new Error(
    `file not found in build context or excluded by .dockerignore: stat ${pattern}: file does not exist`,
  );
}

async function copyContent(
  source: CopySource,
  folder: string,
  { root, target }: { root: string; target: string },
  mode: number | undefined,
): Promise<void> {
  const prefix = folder === '' ? '' : `${folder}/`;
  await copyEntry(source.root, { name: folder, kind: 'folder' }, root, target);
  for (const entry of source.entries) {
    if (entry.name.startsWith(prefix))
      await copyEntry(source.root, entry, root, path.join(target, entry.name.slice(prefix.length)), mode);
  }
}

async function isFolder(file: string): Promise<boolean> {
  return stat(file).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

async function readOptional(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
