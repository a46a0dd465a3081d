import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `dist` was built from: a hash over every source file. Also tells two builds of the local cloud apart. */
export function buildStamp(root: string): string {
  const hash = createHash('sha256');
  for (const folder of ['commands', 'src']) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .sort();
    for (const file of files) {
      hash
        .update(`${folder}/${file}\0`)
        .update(readFileSync(join(root, folder, file)))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

export function recordedStamp(root: string): string {
  const { stamp } = JSON.parse(readFileSync(join(root, 'dist/build.json'), 'utf8')) as { stamp: string };
  return stamp;
}

/** In a checkout: do the sources still match dist? An installed package ships no sources and is never stale. */
export function isStale(root: string): boolean {
  if (!existsSync(join(root, 'src/main.ts'))) return false;
  try {
    return recordedStamp(root) !== buildStamp(root);
  } catch {
    return true;
  }
}
