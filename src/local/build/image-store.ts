import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { ImageStore, LocalImage } from '../contracts.ts';
import { openCollection } from '../journal/collection.ts';
import type { Journal } from '../journal/journal.ts';
import { sealContent } from './content.ts';

const configSchema = z.object({
  command: z.array(z.string()),
  entrypoint: z.array(z.string()).exactOptional(),
  env: z.record(z.string(), z.string()),
  workdir: z.string().exactOptional(),
  labels: z.record(z.string(), z.string()).exactOptional(),
});
/** How an image is started; all of it counts for the digest. */
export type ImageConfig = z.output<typeof configSchema>;

const repositorySchema = z.object({
  name: z.string(),
  tags: z.record(z.string(), z.string()),
  digests: z.array(z.string()),
});

export type LocalImageStore = ImageStore & {
  /** Takes the folder over as an image. The same content and configuration are the same image. */
  add(root: string, config: ImageConfig): Promise<LocalImage>;
  /** By its own digest, pushed or not. */
  load(digest: string): LocalImage | undefined;
  /** Makes the image known as `REPOSITORY[:TAG]` and by its digest. */
  push(reference: string, digest: string): Promise<void>;
};

const referencePattern =
  /^((?:[a-z0-9][a-z0-9._-]*(?::\d+)?\/)?(?:[a-z0-9][a-z0-9._-]*\/)*[a-z0-9][a-z0-9._-]*)(?::([A-Za-z0-9_][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/;

/** `REPOSITORY`, `REPOSITORY:TAG` or `REPOSITORY@sha256:…`; undefined when it is none of these. */
export function parseReference(
  reference: string,
): { repository: string; tag: string; digest?: string } | undefined {
  const match = referencePattern.exec(reference);
  const [, repository, tag = 'latest', digest] = match ?? [];
  return repository === undefined ? undefined : { repository, tag, ...(digest && { digest }) };
}

/** Images under `home/images`: a folder for each digest, and what the repositories call them. */
export function openImages({ home, journal }: { home: string; journal: Journal }): LocalImageStore {
  const folder = path.join(home, 'images');
  mkdirSync(folder, { recursive: true });
  const repositories = openCollection({
    journal,
    name: 'repositories',
    schema: repositorySchema,
    keyOf: ({ name }) => name,
  });
  const folderOf = (digest: string) => path.join(folder, digest.replace('sha256:', ''));

  /** An image never changes. */
  const loaded = new Map<string, LocalImage>();

  function load(digest: string): LocalImage | undefined {
    const known = loaded.get(digest);
    if (known) return known;
    const config = path.join(folderOf(digest), 'config.json');
    if (!existsSync(config)) return undefined;
    const { labels: _labels, ...rest } = configSchema.parse(JSON.parse(readFileSync(config, 'utf8')));
    const image = { digest, root: path.join(folderOf(digest), 'root'), ...rest };
    loaded.set(digest, image);
    return image;
  }

  return {
    load,

    resolve(reference) {
      const parsed = parseReference(reference);
      const repository = parsed && repositories.get(parsed.repository);
      if (!parsed || !repository) return undefined;
      const digest = parsed.digest ?? repository.tags[parsed.tag];
      return digest !== undefined && repository.digests.includes(digest) ? load(digest) : undefined;
    },

    async add(root, config) {
      const lines = await sealContent(root);
      const { command, env, ...more } = config;
      const hashed = [lines, command, Object.entries(env).sort()];
      const hash = createHash('sha256')
        .update(JSON.stringify(Object.keys(more).length > 0 ? [...hashed, more] : hashed))
        .digest('hex');
      const digest = `sha256:${hash}`;
      const there = load(digest);
      if (there) return there;
      // What a kill left between the two steps below has no config yet.
      await rm(folderOf(digest), { recursive: true, force: true });
      mkdirSync(folderOf(digest));
      await rename(root, path.join(folderOf(digest), 'root'));
      await writeFileAtomic(path.join(folderOf(digest), 'config.json'), JSON.stringify(config));
      const { labels: _labels, ...image } = config;
      return { digest, root: path.join(folderOf(digest), 'root'), ...image };
    },

    async push(reference, digest) {
      const parsed = parseReference(reference);
      if (!parsed) throw new Error(`invalid image name '${reference}'`);
      const { repository: name, tag } = parsed;
      const empty: z.output<typeof repositorySchema> = { name, tags: {}, digests: [] };
      const { tags, digests } = repositories.get(name) ?? empty;
      await repositories.put({
        name,
        tags: { ...tags, [tag]: digest },
        digests: digests.includes(digest) ? digests : [...digests, digest],
      });
    },
  };
}
