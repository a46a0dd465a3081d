import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { Changes } from './changes.ts';
import { sendMedia } from './download.ts';
import { badRequest, noSuchObject, StorageError } from './errors.ts';
import {
  checkQuery,
  conditionsOf,
  decode,
  type Exchange,
  fail,
  paginate,
  parse,
  readJson,
  sendJson,
} from './exchange.ts';
import type { ObjectStore, StoredObject } from './objects.ts';
import { bucketResource, objectResource, storageLayout } from './resources.ts';
import { Uploads } from './uploads.ts';

const root = /^(?:\/(resumable\/upload|upload|download))?\/storage\/v1\/(.*)$/;

/** The JSON API. `handle` answers false when the URL is none of Storage's. */
export class StorageHttp {
  private readonly store: ObjectStore;
  private readonly uploads: Uploads;
  private readonly changes: Changes;

  constructor(store: ObjectStore) {
    this.store = store;
    this.uploads = new Uploads(store);
    this.changes = new Changes(store);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const origin = `http://${request.headers.host ?? 'localhost'}`;
    const url = URL.canParse(request.url ?? '', origin) ? new URL(request.url ?? '', origin) : undefined;
    const match = root.exec(url?.pathname ?? '');
    if (!url || !match) return false;
    const [, kind, rest = ''] = match;
    const exchange = { request, response, method: request.method ?? 'GET', query: url.searchParams, origin };
    try {
      checkQuery(url.searchParams);
      await this.route(exchange, kind, rest.split('/').map(decode));
    } catch (error) {
      fail(response, error);
    }
    return true;
  }

  stop(): Promise<void> {
    return this.uploads.stop();
  }

  private async route(exchange: Exchange, kind: string | undefined, path: string[]): Promise<void> {
    const [collection, bucket, objects, object, ...more] = path;
    const { method } = exchange;
    if (collection !== 'b') throw unknownUrl();
    if (kind?.includes('upload')) {
      if (bucket === undefined || objects !== 'o' || object !== undefined) throw unknownUrl();
      return this.uploads.serve(exchange, bucket);
    }
    if (bucket === undefined) {
      if (method === 'GET') return this.listBuckets(exchange);
      if (method === 'POST') return this.createBucket(exchange);
    } else if (objects === undefined) {
      if (method === 'GET')
        return sendJson(exchange, 200, bucketResource(this.store.bucket(bucket), exchange.origin));
      if (method === 'DELETE') return this.deleteBucket(exchange, bucket);
    } else if (objects === 'storageLayout' && object === undefined) {
      if (method === 'GET') return sendJson(exchange, 200, storageLayout(this.store.bucket(bucket)));
    } else if (objects === 'managedFolders' && object === undefined && method === 'GET') {
      this.store.bucket(bucket);
      // There are none; whoever empties a bucket asks.
      return sendJson(exchange, 200, { kind: 'storage#managedFolders' });
    } else if (objects !== 'o') {
      throw unknownUrl();
    } else if (object === undefined) {
      if (method === 'GET') return this.listObjects(exchange, bucket);
    } else if (more.length > 0) {
      return this.makeObject(exchange, { bucket, name: object }, more);
    } else {
      if (method === 'GET') return this.getObject(exchange, bucket, object, kind === 'download');
      if (method === 'DELETE') return this.deleteObject(exchange, bucket, object);
      if (method === 'PATCH') return this.changes.patch(exchange, { bucket, name: object });
    }
    throw new StorageError(405, 'methodNotAllowed', `The local cloud does not implement ${method} here.`);
  }

  /** `POST …/o/OBJECT/{compose | rewriteTo/b/BUCKET/o/OBJECT | copyTo/b/BUCKET/o/OBJECT}` */
  private makeObject(
    exchange: Exchange,
    object: { bucket: string; name: string },
    path: string[],
  ): Promise<void> {
    const [verb, b, bucket, o, name, ...more] = path;
    if (exchange.method !== 'POST') throw unknownUrl();
    if (verb === 'compose' && b === undefined) return this.changes.compose(exchange, object);
    if (b !== 'b' || bucket === undefined || o !== 'o' || name === undefined || more.length > 0)
      throw unknownUrl();
    if (verb === 'rewriteTo') return this.changes.rewrite(exchange, object, { bucket, name });
    if (verb === 'copyTo') return this.changes.copyTo(exchange, object, { bucket, name });
    throw unknownUrl();
  }

  private listBuckets({ query, ...exchange }: Exchange): void {
    const project = query.get('project');
    if (!project) throw badRequest('Required parameter: project');
    const all = wantsDeleted(query) ? [] : this.store.listBuckets(project, query.get('prefix') ?? '');
    const { page, next } = paginate(all, query);
    const items = page.map((bucket) => bucketResource(bucket, exchange.origin));
    sendJson(exchange, 200, { kind: 'storage#buckets', items, ...next });
  }

  private async createBucket({ query, ...exchange }: Exchange): Promise<void> {
    const project = query.get('project');
    if (!project) throw badRequest('Required parameter: project');
    const body = parse(newBucketSchema, await readJson(exchange.request));
    const bucket = this.store.createBucket(body.name, project, body.location);
    sendJson(exchange, 200, bucketResource(bucket, exchange.origin));
  }

  private deleteBucket({ query, response }: Exchange, bucket: string): void {
    this.store.deleteBucket(bucket, conditionsOf(query));
    response.writeHead(204).end();
  }

  private listObjects({ query, ...exchange }: Exchange, bucket: string): void {
    const prefix = query.get('prefix') ?? '';
    const objects = wantsDeleted(query) ? [] : this.store.list(bucket, prefix);
    const entries = foldAt(query.get('delimiter') ?? '', prefix, objects);
    const { page, next } = paginate(entries, query);
    const items = page.flatMap(({ object }) => (object ? [objectResource(object, exchange.origin)] : []));
    const prefixes = page.flatMap(({ name, object }) => (object ? [] : [name]));
    sendJson(exchange, 200, {
      kind: 'storage#objects',
      ...next,
      ...(prefixes.length > 0 && { prefixes }),
      ...(items.length > 0 && { items }),
    });
  }

  private async getObject(exchange: Exchange, bucket: string, name: string, media: boolean): Promise<void> {
    const { query, request, response, origin } = exchange;
    if (wantsDeleted(query)) throw noSuchObject(bucket, name);
    const object = this.store.get(bucket, name, query.get('generation') ?? undefined, conditionsOf(query));
    if (!media && query.get('alt') !== 'media')
      return sendJson(exchange, 200, objectResource(object, origin));
    await sendMedia(request, response, object, this.store.contentPath(object));
  }

  private deleteObject({ query, response }: Exchange, bucket: string, name: string): void {
    this.store.delete(bucket, name, query.get('generation') ?? undefined, conditionsOf(query));
    response.writeHead(204).end();
  }
}

/** Names that hold the delimiter beyond the prefix stand together as one prefix, among the objects in their order. */
function foldAt(
  delimiter: string,
  prefix: string,
  objects: StoredObject[],
): { name: string; object?: StoredObject }[] {
  const entries = objects.map((object) => {
    const at = delimiter === '' ? -1 : object.name.indexOf(delimiter, prefix.length);
    return at < 0 ? { name: object.name, object } : { name: object.name.slice(0, at + delimiter.length) };
  });
  return entries.filter(({ name }, index) => name !== entries[index - 1]?.name);
}

/** What is deleted is gone here. */
function wantsDeleted(query: URLSearchParams): boolean {
  return query.get('softDeleted')?.toLowerCase() === 'true';
}

const newBucketSchema = z.strictObject({
  name: z.string(),
  location: z.string().max(64).default('US'),
  storageClass: z.literal('STANDARD').optional(),
  iamConfiguration: z.unknown().optional(),
  // For web pages, which the local cloud answers nothing anyway.
  cors: z.unknown().optional(),
});

const unknownUrl = () => new StorageError(404, 'notFound', 'Not Found');
