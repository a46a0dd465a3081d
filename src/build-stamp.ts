import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** `dist/build.json`: what `dist` was built from. */
type BuildRecord = {
  /** A hash over every source file. Also tells two builds of the local cloud apart. */
  stamp: string;
  /** Every source file, and every folder of them: one changes when a file comes or goes. */
  paths: string[];
  /** The same as the file system knew them then. Equal: nobody has touched one since. */
  seen: string;
};

/** Seen first: what is edited while this reads is noticed later. */
export function recordBuild(root: string): BuildRecord {
  const { files, folders } = sources(root);
  const paths = [...files, ...folders];
  return { paths, seen: seenOf(root, paths), stamp: stampOf(root, files) };
}

export function recordedStamp(root: string): string {
  return readBuildRecord(root).stamp;
}

/** In a checkout: do the sources still match dist? An installed package ships no sources and is never stale. */
export function isStale(root: string): boolean {
  if (!existsSync(join(root, 'src/main.ts'))) return false;
  try {
    const { stamp, paths, seen } = readBuildRecord(root);
    // Reading every source, or every folder, costs each start more than it should; only touched ones need it.
    return seen !== seenOf(root, paths) && stamp !== stampOf(root, sources(root).files);
  } catch {
    return true;
  }
}

function readBuildRecord(root: string): BuildRecord {
  return JSON.parse(readFileSync(join(root, 'dist/build.json'), 'utf8')) as BuildRecord;
}

function sources(root: string): { files: string[]; folders: string[] } {
  const tops = ['commands', 'src'];
  const items = tops.flatMap((top) =>
    readdirSync(join(root, top), { withFileTypes: true, recursive: true }).map((item) => ({
      path: relative(root, join(item.parentPath, item.name)),
      isFolder: item.isDirectory(),
    })),
  );
  const paths = (folders: boolean) =>
    items.filter(({ isFolder }) => isFolder === folders).map(({ path }) => path);
  return {
    files: paths(false)
      .filter((path) => path.endsWith('.ts'))
      .sort(),
    folders: [...tops, ...paths(true)].sort(),
  };
}

/** Inode and change time too: no edit leaves both as they were, even one that keeps size and modification time. */
function seenOf(root: string, paths: readonly string[]): string {
  const seen = paths.map((path) => {
    const found = statSync(`${root}/${path}`, { bigint: true, throwIfNoEntry: false });
    return `${path}\0${found?.ino} ${found?.size} ${found?.mtimeNs} ${found?.ctimeNs}\0`;
  });
  return createHash('sha256').update(seen.join('')).digest('hex');
}

function stampOf(root: string, files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}
