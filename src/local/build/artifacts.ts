import { glob, lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { StorageBackend } from '../storage/index.ts';
import { BuildFailed, messageOf } from './failure.ts';
import type { BuildOrder } from './order.ts';
import { isReallyWithin } from './within.ts';

export type StoredArtifacts = {
  /** `gs://…` of the object that lists the others. */
  manifest: string;
  count: number;
};

/** google.devtools.cloudbuild.v1.Hash.HashType */
const md5 = 2;

/** Stores the files that the globs name under their base names, and a manifest of them, as Cloud Build does. */
export async function storeArtifacts(
  { objects }: Pick<BuildOrder, 'objects'>,
  workspace: string,
  tools: { storage: StorageBackend; folder: string; log(line: string): void },
): Promise<StoredArtifacts | undefined> {
  if (!objects) return undefined;
  const { bucket, prefix, paths } = objects;
  const { storage, folder, log } = tools;
  const manifest: string[] = [];
  try {
    for (const file of await filesOf(paths, workspace)) {
      const name = prefix + path.posix.basename(file);
      const stored = await storage.writeObject(bucket, name, await readFile(path.join(workspace, file)));
      log(`Artifact: gs://${bucket}/${name}#${stored.generation}`);
      manifest.push(
        JSON.stringify({
          location: `gs://${bucket}/${name}#${stored.generation}`,
          file_hash: [{ file_hash: [{ type: md5, value: stored.md5Hash }] }],
        }),
      );
    }
    const list = `${prefix}artifacts-${path.basename(folder)}.json`;
    await storage.writeObject(bucket, list, Buffer.from(`${manifest.join('\n')}\n`), {
      contentType: 'application/json',
    });
    return { manifest: `gs://${bucket}/${list}`, count: manifest.length };
  } catch (error) {
    throw new BuildFailed(
      'PUSH_FAILED',
      `failed to upload artifacts to gs://${bucket}/${prefix}: ${messageOf(error)}`,
    );
  }
}

/** Relative to the workspace, in one fixed order. A glob that names no file is an error, as for gsutil. */
async function filesOf(paths: readonly string[], workspace: string): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of paths) {
    const before = found.size;
    for await (const file of glob(pattern.replace(/^\/workspace\//, ''), { cwd: workspace })) {
      const onHost = path.join(workspace, file);
      if (!(await lstat(onHost)).isFile()) continue;
      // By a link that a step made, or by `..` that only the glob's braces spell.
      if (!(await isReallyWithin(workspace, onHost))) throw new Error(`"${pattern}" leaves the workspace`);
      found.add(file);
    }
    if (found.size === before) throw new Error(`No URLs matched: ${pattern}`);
  }
  return [...found].sort();
}
