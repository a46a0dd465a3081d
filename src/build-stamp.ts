import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** `dist/build.json`: what `dist` was built from. */
type BuildRecord = {
  /** A hash over every source file. Also tells two builds of the local cloud apart. */
  stamp: string;
  /** The same files as the file system knew them then. Equal: nobody has touched one since. */
  seen: string;
};

/** Seen first: what is edited while this reads is noticed later. */
export function recordBuild(root: string): BuildRecord {
  const files = sourceFiles(root);
  return { seen: seenOf(root, files), stamp: stampOf(root, files) };
}

export function recordedStamp(root: string): string {
  return readBuildRecord(root).stamp;
}

/** In a checkout: do the sources still match dist? An installed package ships no sources and is never stale. */
export function isStale(root: string): boolean {
  if (!existsSync(join(root, 'src/main.ts'))) return false;
  try {
    const { stamp, seen } = readBuildRecord(root);
    const files = sourceFiles(root);
    // Reading every source costs each start more than Node itself does; only touched ones need it.
    return seen !== seenOf(root, files) && stamp !== stampOf(root, files);
  } catch {
    return true;
  }
}

function readBuildRecord(root: string): BuildRecord {
  return JSON.parse(readFileSync(join(root, 'dist/build.json'), 'utf8')) as BuildRecord;
}

/** By hand: a recursive `readdirSync` computes every path anew, which takes longer than the reading. */
function sourceFiles(root: string): string[] {
  const within = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((item) => {
      const path = `${folder}/${item.name}`;
      if (item.isDirectory()) return within(path);
      return item.name.endsWith('.ts') ? [path] : [];
    });
  return ['commands', 'src'].flatMap(within).sort();
}

/** Inode and change time too: no edit leaves both as they were, even one that keeps size and modification time. */
function seenOf(root: string, files: readonly string[]): string {
  const seen = files.map((file) => {
    const { ino, size, mtimeNs, ctimeNs } = statSync(`${root}/${file}`, { bigint: true });
    return `${file}\0${ino} ${size} ${mtimeNs} ${ctimeNs}\0`;
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
