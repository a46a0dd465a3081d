import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { badRequest, noSuchObject } from './errors.ts';
import { conditionsOf, type Exchange, parse, readJson, sendJson } from './exchange.ts';
import { type ObjectSettings, type ObjectStore, objectSettingsSchema, type StoredObject } from './objects.ts';
import { objectResource } from './resources.ts';
import { type StagedContent, stage } from './staged.ts';
import { newObjectSchema } from './uploads.ts';

type Name = { bucket: string; name: string };

/** What makes objects out of objects, and what changes their settings. */
export class Changes {
  private readonly store: ObjectStore;

  constructor(store: ObjectStore) {
    this.store = store;
  }

  /** Source: objects/rewrite. A body replaces the settings, none keeps those of the source. */
  async rewrite(exchange: Exchange, from: Name, to: Name): Promise<void> {
    const resource = objectResource(await this.copy(exchange, from, to), exchange.origin);
    const size = 'size' in resource ? resource.size : '0';
    sendJson(exchange, 200, {
      ...{ kind: 'storage#rewriteResponse', totalBytesRewritten: size, objectSize: size },
      ...{ done: true, resource },
    });
  }

  async copyTo(exchange: Exchange, from: Name, to: Name): Promise<void> {
    sendJson(exchange, 200, objectResource(await this.copy(exchange, from, to), exchange.origin));
  }

  /** Source: objects/compose. */
  async compose(exchange: Exchange, to: Name): Promise<void> {
    const { sourceObjects, destination } = parse(composeSchema, await readJson(exchange.request));
    const sources = sourceObjects.map(({ name, generation, objectPreconditions }) =>
      this.store.get(to.bucket, name, generation, objectPreconditions),
    );
    const content = await stage(this.store.staging, this.contents(sources));
    const settings = settingsOf(destination ?? {});
    const made = await this.commit(to, content, settings, exchange);
    sendJson(exchange, 200, objectResource(made, exchange.origin));
  }

  /** Source: objects/patch. What is null is removed. */
  async patch({ request, query, ...exchange }: Exchange, { bucket, name }: Name): Promise<void> {
    const patch = parse(patchSchema, await readJson(request));
    const object = this.store.find(bucket, name, query.get('generation') ?? undefined);
    if (!object) throw noSuchObject(bucket, name);
    this.store.get(bucket, name, object.generation, conditionsOf(query));
    sendJson(
      exchange,
      200,
      objectResource(this.store.change(object, patched(object, patch)), exchange.origin),
    );
  }

  private async copy(exchange: Exchange, from: Name, to: Name): Promise<StoredObject> {
    const { query, request } = exchange;
    const body = parse(newObjectSchema, await readJson(request));
    const source = this.store.get(from.bucket, from.name, query.get('sourceGeneration') ?? undefined, {
      ifGenerationMatch: query.get('ifSourceGenerationMatch') ?? undefined,
    });
    const settings = Object.keys(body).length > 0 ? settingsOf(body) : settingsOf(source);
    return this.commit(to, this.store.share(source), settings, exchange);
  }

  private async commit(
    to: Name,
    content: StagedContent,
    settings: ObjectSettings,
    { query }: Exchange,
  ): Promise<StoredObject> {
    try {
      return this.store.commit(to, content, settings, conditionsOf(query));
    } finally {
      // Nothing is there any more when it was committed.
      await rm(content.file, { force: true });
    }
  }

  private async *contents(objects: readonly StoredObject[]): AsyncGenerator<Uint8Array> {
    for (const object of objects) yield* createReadStream(this.store.contentPath(object));
  }
}

const maxComponents = 32;

const composeSchema = z.strictObject({
  kind: z.string().optional(),
  sourceObjects: z
    .array(
      z.strictObject({
        name: z.string(),
        generation: z.string().optional(),
        objectPreconditions: z.strictObject({ ifGenerationMatch: z.string().optional() }).optional(),
      }),
    )
    .min(1)
    .max(maxComponents),
  destination: newObjectSchema.optional(),
});

/** Clients send back the whole resource that they read; Google takes no notice of these. */
const outputOnly = [
  ...['kind', 'id', 'selfLink', 'mediaLink', 'bucket', 'name', 'generation', 'metageneration', 'etag'],
  ...['size', 'md5Hash', 'crc32c', 'timeCreated', 'updated'],
] as const;

const text = z.string().max(1024).nullable().optional();
const patchSchema = z.strictObject({
  contentType: text,
  contentEncoding: text,
  contentDisposition: text,
  contentLanguage: text,
  cacheControl: text,
  metadata: z.record(z.string(), z.string().nullable()).nullable().optional(),
  storageClass: z.literal('STANDARD').optional(),
  ...Object.fromEntries(outputOnly.map((field) => [field, z.unknown().optional()])),
});

const settingsSchema = z.object(objectSettingsSchema.shape);
const settingsOf = (resource: object): ObjectSettings => settingsSchema.parse(resource);

function patched(object: StoredObject, patch: z.output<typeof patchSchema>): ObjectSettings {
  const metadata = patch.metadata === null ? undefined : { ...object.metadata, ...patch.metadata };
  const { data, error } = settingsSchema.safeParse(
    withoutNull({ ...object, ...patch, metadata: metadata && withoutNull(metadata) }),
  );
  if (error) throw badRequest(error.issues[0]?.message ?? 'Invalid metadata');
  return data;
}

function withoutNull(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
