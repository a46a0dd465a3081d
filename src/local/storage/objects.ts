import { createHash, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import {
  badRequest,
  noSuchBucket,
  noSuchObject,
  notModified,
  preconditionFailed,
  StorageError,
} from './errors.ts';
import type { StagedContent } from './staged.ts';

const bucketSchema = z.object({
  name: z.string(),
  project: z.string(),
  location: z.string(),
  timeCreated: z.string(),
});

/** A download says it in a header, which holds nothing else. */
const headerText = z
  .string()
  .max(255)
  .regex(/^[\x20-\x7e]*$/, 'must be visible ASCII');

/** What an uploader may say of an object. */
export const objectSettingsSchema = z.strictObject({
  contentType: headerText.optional(),
  contentEncoding: headerText.optional(),
  contentDisposition: z.string().max(1024).optional(),
  contentLanguage: z.string().max(255).optional(),
  cacheControl: z.string().max(255).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});

const objectSchema = objectSettingsSchema.extend({
  // One that an earlier version took as it was is still there, to be patched or deleted.
  contentType: z.string().optional(),
  contentEncoding: z.string().optional(),
  bucket: z.string(),
  name: z.string(),
  generation: z.string().regex(/^\d+$/),
  size: z.number(),
  md5Hash: z.string(),
  crc32c: z.string(),
  timeCreated: z.string(),
  /** Since the settings were changed the last time; absent as long as they never were. */
  metageneration: z.string().regex(/^\d+$/).optional(),
  updated: z.string().optional(),
});

export type Bucket = z.output<typeof bucketSchema>;
export type ObjectSettings = z.output<typeof objectSettingsSchema>;
export type StoredObject = z.output<typeof objectSchema>;

/** Generations as decimal strings; `ifGenerationMatch: '0'` means: only if the object does not exist. */
export type Preconditions = {
  ifGenerationMatch?: string | undefined;
  ifGenerationNotMatch?: string | undefined;
  ifMetagenerationMatch?: string | undefined;
  ifMetagenerationNotMatch?: string | undefined;
};

const bucketPattern = /^[a-z0-9][a-z0-9_.-]{1,220}[a-z0-9]$/;

/**
 * Buckets and objects: an index in memory, contents in files named by the hash of the object's name.
 * Every change is synchronous and takes effect with one rename, so no two can interleave, and one that was answered
 * outlives a killed process whole. Nothing is flushed to the device: a machine that loses its power may lose more.
 */
export class ObjectStore {
  /** Where uploads wait; emptied at the start. */
  readonly staging: string;
  private readonly folder: string;
  private readonly buckets = new Map<string, { bucket: Bucket; objects: Map<string, StoredObject> }>();
  private lastGeneration = 0n;

  constructor(folder: string) {
    this.folder = folder;
    this.staging = path.join(folder, '.staging');
    rmSync(this.staging, { recursive: true, force: true });
    mkdirSync(this.staging, { recursive: true });
    for (const name of readdirSync(folder)) if (bucketPattern.test(name)) this.load(name);
  }

  createBucket(name: string, project: string, location: string): Bucket {
    if (!bucketPattern.test(name) || name.includes('..')) throw badRequest(`Invalid bucket name: '${name}'`);
    const there = this.buckets.get(name)?.bucket;
    if (there) {
      throw new StorageError(
        409,
        'conflict',
        there.project === project
          ? 'Your previous request to create the named bucket succeeded and you already own it.'
          : 'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
      );
    }
    const bucket = { name, project, location, timeCreated: new Date().toISOString() };
    mkdirSync(this.pathOf(name), { recursive: true });
    writeJson(this.pathOf(name, 'bucket.json'), bucket);
    this.buckets.set(name, { bucket, objects: new Map() });
    return bucket;
  }

  bucket(name: string): Bucket {
    return this.open(name).bucket;
  }

  deleteBucket(name: string, conditions: Preconditions): void {
    const { objects } = this.open(name);
    if (objects.size > 0)
      throw new StorageError(409, 'conflict', 'The bucket you tried to delete is not empty.');
    if ((conditions.ifMetagenerationMatch ?? '1') !== '1') throw preconditionFailed();
    // Without it there is no bucket: the rest is left-overs, also after a kill.
    rmSync(this.pathOf(name, 'bucket.json'));
    rmSync(this.pathOf(name), { recursive: true, force: true });
    this.buckets.delete(name);
  }

  /** Sorted by name. */
  listBuckets(project: string, prefix: string): Bucket[] {
    return [...this.buckets.values()]
      .map(({ bucket }) => bucket)
      .filter((bucket) => bucket.project === project && bucket.name.startsWith(prefix))
      .sort(byName);
  }

  /** Sorted by name. */
  list(bucket: string, prefix: string): StoredObject[] {
    return [...this.open(bucket).objects.values()].filter(({ name }) => name.startsWith(prefix)).sort(byName);
  }

  find(bucket: string, name: string, generation?: string): StoredObject | undefined {
    const object = this.open(bucket).objects.get(name);
    return generation === undefined || object?.generation === generation ? object : undefined;
  }

  get(bucket: string, name: string, generation?: string, conditions: Preconditions = {}): StoredObject {
    const object = this.find(bucket, name, generation);
    if (!object) throw noSuchObject(bucket, name);
    const { ifGenerationMatch, ifGenerationNotMatch, ifMetagenerationMatch, ifMetagenerationNotMatch } =
      conditions;
    if (ifGenerationNotMatch === object.generation) throw notModified();
    if (ifMetagenerationNotMatch === metagenerationOf(object)) throw notModified();
    checkWrite(object, { ifGenerationMatch, ifMetagenerationMatch });
    return object;
  }

  /** Where the content of an object lies. */
  contentPath({ bucket, name, generation }: StoredObject): string {
    return this.pathOf(bucket, `${hashOf(name)}.${generation}`);
  }

  /** The one moment an upload becomes visible. */
  commit(
    to: { bucket: string; name: string },
    content: StagedContent,
    settings: ObjectSettings,
    conditions: Preconditions,
  ): StoredObject {
    const { objects } = this.open(to.bucket);
    checkObjectName(to.name);
    const before = objects.get(to.name);
    checkWrite(before, conditions);
    const { file, ...facts } = content;
    const object = {
      ...settings,
      ...facts,
      bucket: to.bucket,
      name: to.name,
      generation: this.nextGeneration(),
      timeCreated: new Date().toISOString(),
    };
    renameSync(file, this.contentPath(object));
    try {
      this.save(object);
    } catch (error) {
      rmSync(this.contentPath(object), { force: true });
      throw error;
    }
    if (before) rmSync(this.contentPath(before), { force: true });
    return object;
  }

  /** New settings for the same content. */
  change(object: StoredObject, settings: ObjectSettings): StoredObject {
    const { bucket, name, generation, size, md5Hash, crc32c, timeCreated } = object;
    const changed = {
      ...settings,
      ...{ bucket, name, generation, size, md5Hash, crc32c, timeCreated },
      metageneration: String(BigInt(metagenerationOf(object)) + 1n),
      updated: new Date().toISOString(),
    };
    this.save(changed);
    return changed;
  }

  /** The content of an object as a new one's: the file has two names for a moment, and is never written again. */
  share(object: StoredObject): StagedContent {
    const file = path.join(this.staging, randomUUID());
    linkSync(this.contentPath(object), file);
    const { size, md5Hash, crc32c } = object;
    return { file, size, md5Hash, crc32c };
  }

  delete(bucket: string, name: string, generation: string | undefined, conditions: Preconditions): void {
    const object = this.find(bucket, name, generation);
    if (!object) throw noSuchObject(bucket, name);
    checkWrite(object, conditions);
    rmSync(this.pathOf(bucket, `${hashOf(name)}.json`));
    rmSync(this.contentPath(object), { force: true });
    this.open(bucket).objects.delete(name);
  }

  private save(object: StoredObject): void {
    const { objects } = this.open(object.bucket);
    writeJson(this.pathOf(object.bucket, `${hashOf(object.name)}.json`), object);
    objects.set(object.name, object);
  }

  private open(name: string) {
    const found = this.buckets.get(name);
    if (!found) throw noSuchBucket();
    return found;
  }

  private pathOf(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  /** Microseconds, as at Google, and never twice. */
  private nextGeneration(): string {
    const now = BigInt(Date.now()) * 1000n;
    this.lastGeneration = now > this.lastGeneration ? now : this.lastGeneration + 1n;
    return String(this.lastGeneration);
  }

  private load(name: string): void {
    const bucket = readJson(this.pathOf(name, 'bucket.json'), bucketSchema);
    if (!bucket) return;
    const objects = new Map<string, StoredObject>();
    const files = readdirSync(this.pathOf(name));
    for (const file of files.filter((file) => file.endsWith('.json'))) {
      const object = readJson(this.pathOf(name, file), objectSchema);
      if (object) objects.set(object.name, object);
    }
    this.buckets.set(name, { bucket, objects });
    const known = new Set([...objects.values()].map((object) => path.basename(this.contentPath(object))));
    for (const object of objects.values()) {
      if (BigInt(object.generation) > this.lastGeneration) this.lastGeneration = BigInt(object.generation);
    }
    // Contents that a kill left between two renames.
    for (const file of files)
      if (!file.endsWith('.json') && !known.has(file)) rmSync(this.pathOf(name, file));
  }
}

export function checkObjectName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > 1024 || /[\r\n]/.test(name) || name === '.' || name === '..') {
    throw badRequest(`Invalid object name: '${name.slice(0, 100)}'`);
  }
}

function checkWrite(object: StoredObject | undefined, conditions: Preconditions): void {
  const generation = object?.generation ?? '0';
  const metageneration = object ? metagenerationOf(object) : '0';
  const { ifGenerationMatch, ifGenerationNotMatch, ifMetagenerationMatch, ifMetagenerationNotMatch } =
    conditions;
  if (ifGenerationMatch !== undefined && ifGenerationMatch !== generation) throw preconditionFailed();
  if (ifGenerationNotMatch !== undefined && ifGenerationNotMatch === generation) throw preconditionFailed();
  if (ifMetagenerationMatch !== undefined && ifMetagenerationMatch !== metageneration)
    throw preconditionFailed();
  if (ifMetagenerationNotMatch !== undefined && ifMetagenerationNotMatch === metageneration)
    throw preconditionFailed();
}

export function metagenerationOf({ metageneration = '1' }: StoredObject): string {
  return metageneration;
}

function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

function byName(a: { name: string }, b: { name: string }): number {
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

function writeJson(file: string, value: object): void {
  writeFileAtomic.sync(file, JSON.stringify(value), { fsync: false });
}

function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
