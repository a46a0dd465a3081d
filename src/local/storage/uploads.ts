import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { badRequest } from './errors.ts';
import { conditionsOf, type Exchange, parse, readJson, sendJson } from './exchange.ts';
import { readRelated } from './multipart.ts';
import { checkObjectName, type ObjectStore, objectSettingsSchema } from './objects.ts';
import { objectResource } from './resources.ts';
import { type ResumableTarget, ResumableUploads } from './resumable.ts';
import { stage } from './staged.ts';

/** The three ways of uploading an object: `media`, `multipart` and `resumable`. */
export class Uploads {
  private readonly store: ObjectStore;
  private readonly resumable: ResumableUploads;

  constructor(store: ObjectStore) {
    this.store = store;
    this.resumable = new ResumableUploads(store);
  }

  stop(): Promise<void> {
    return this.resumable.stop();
  }

  async serve(exchange: Exchange, bucket: string): Promise<void> {
    const { method, query } = exchange;
    const session = query.get('upload_id');
    if (session !== null) return this.continueUpload(exchange, session);
    if (method !== 'POST') throw badRequest('An upload begins with POST');
    this.store.bucket(bucket);
    switch (query.get('uploadType')) {
      case 'media':
        return this.uploadMedia(exchange, bucket);
      case 'multipart':
        return this.uploadMultipart(exchange, bucket);
      case 'resumable':
        return this.beginResumable(exchange, bucket);
      default:
        throw badRequest('uploadType must be media, multipart or resumable');
    }
  }

  private async uploadMedia(exchange: Exchange, bucket: string): Promise<void> {
    const { request } = exchange;
    const target = targetOf(bucket, exchange.query, {}, request.headers['content-type']);
    await this.receive(exchange, target, request);
  }

  private async uploadMultipart(exchange: Exchange, bucket: string): Promise<void> {
    const { request, query } = exchange;
    const body = await readRelated(request.headers['content-type'], request);
    await this.receive(exchange, targetOf(bucket, query, body.metadata, body.contentType), body.media);
  }

  private async receive(
    exchange: Exchange,
    target: ResumableTarget,
    body: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const content = await stage(this.store.staging, body);
    try {
      target.verify(content);
      const object = this.store.commit(target, content, target.settings, target.conditions);
      sendJson(exchange, 200, objectResource(object, exchange.origin));
    } finally {
      // Nothing is there any more when it was committed.
      await rm(content.file, { force: true });
    }
  }

  private async beginResumable(exchange: Exchange, bucket: string): Promise<void> {
    const { request, response, query, origin } = exchange;
    const type = request.headers['x-upload-content-type'];
    const target = targetOf(
      bucket,
      query,
      await readJson(request),
      typeof type === 'string' ? type : undefined,
    );
    const id = await this.resumable.begin(target);
    const location = new URL(`${origin}/upload/storage/v1/b/${bucket}/o`);
    location.search = String(
      new URLSearchParams({ uploadType: 'resumable', name: target.name, upload_id: id }),
    );
    response.writeHead(200, { Location: location.href, 'Content-Length': 0 }).end();
  }

  private async continueUpload(exchange: Exchange, id: string): Promise<void> {
    const { request, response, method, origin } = exchange;
    if (method === 'DELETE') {
      await this.resumable.cancel(id);
      response.writeHead(499, { 'Content-Length': 0 }).end();
      return;
    }
    if (method !== 'PUT') throw badRequest('An upload goes on with PUT');
    const result = await this.resumable.put(id, request);
    if (result.kind === 'finished') return sendJson(exchange, 200, objectResource(result.object, origin));
    const range = result.received > 0 ? { Range: `bytes=0-${result.received - 1}` } : {};
    response.writeHead(308, { ...range, 'Content-Length': 0 }).end();
  }
}

/** An object's resource as clients send it: its settings, and what they know of it. */
export const newObjectSchema = objectSettingsSchema.extend({
  name: z.string().optional(),
  bucket: z.string().optional(),
  md5Hash: z.string().optional(),
  crc32c: z.string().optional(),
  /** Of the output only; gcloud sends it nevertheless. */
  size: z.unknown().optional(),
});

function targetOf(
  bucket: string,
  query: URLSearchParams,
  metadata: unknown,
  contentType: string | undefined,
): ResumableTarget {
  const { bucket: _, size: _size, ...sent } = parse(newObjectSchema, metadata ?? {});
  const { name: named, md5Hash, crc32c, ...settings } = sent;
  const name = query.get('name') ?? named;
  if (name === undefined) throw badRequest('Required parameter: name');
  checkObjectName(name);
  return {
    bucket,
    name,
    settings: parse(objectSettingsSchema, { ...(contentType && { contentType }), ...settings }),
    conditions: conditionsOf(query),
    verify(content) {
      if (md5Hash !== undefined && md5Hash !== content.md5Hash) throw badRequest(mismatch('MD5'));
      if (crc32c !== undefined && crc32c !== content.crc32c) throw badRequest(mismatch('CRC32C'));
    },
  };
}

const mismatch = (hash: string) => `Provided ${hash} hash doesn't match the calculated one.`;
