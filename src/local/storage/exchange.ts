import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { noRoomMessage } from '../no-room.ts';
import { isJson } from '../web/json.ts';
import { badRequest, StorageError } from './errors.ts';
import { parseJson } from './json.ts';
import type { Preconditions } from './objects.ts';

const maxJsonBytes = 256 * 1024;

/** One request, taken apart. */
export type Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  query: URLSearchParams;
  origin: string;
};

/** What is read somewhere, or changes nothing here; anything else is refused by name. */
const parameters: ReadonlySet<string> = new Set([
  ...[
    'alt',
    'fields',
    'prettyPrint',
    'projection',
    'uploadType',
    'upload_id',
    'name',
    'generation',
    'project',
  ],
  ...[
    'ifGenerationMatch',
    'ifGenerationNotMatch',
    'prefix',
    'delimiter',
    'maxResults',
    'pageToken',
    'key',
    'quotaUser',
  ],
  ...['ifMetagenerationMatch', 'ifMetagenerationNotMatch', 'sourceGeneration', 'ifSourceGenerationMatch'],
  // No folders, no older or deleted versions are kept; a rewrite is done in one call.
  ...['includeFoldersAsPrefixes', 'versions', 'softDeleted', 'maxBytesRewrittenPerCall', 'pageSize'],
]);

export function checkQuery(query: URLSearchParams): void {
  for (const [name, value] of query) {
    // gcloud asks so for a bucket that has none.
    if (name === 'enableObjectRetention' && value === 'False') continue;
    if (!parameters.has(name)) throw badRequest(`The local cloud does not support the parameter '${name}'`);
  }
}

export function conditionsOf(query: URLSearchParams): Preconditions {
  const read = (name: string) => {
    const value = query.get(name) ?? undefined;
    if (value !== undefined && !/^\d{1,19}$/.test(value)) throw badRequest(`Invalid value for ${name}`);
    return value;
  };
  return {
    ifGenerationMatch: read('ifGenerationMatch'),
    ifGenerationNotMatch: read('ifGenerationNotMatch'),
    ifMetagenerationMatch: read('ifMetagenerationMatch'),
    ifMetagenerationNotMatch: read('ifMetagenerationNotMatch'),
  };
}

export function paginate<T extends { name: string }>(all: T[], query: URLSearchParams) {
  const after = query.get('pageToken');
  const left =
    after === null
      ? all
      : all.filter(({ name }) => Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0);
  const limit = Math.min(Math.max(1, Number(query.get('maxResults') ?? 1000) || 1000), 1000);
  const page = left.slice(0, limit);
  return { page, next: left.length > limit ? { nextPageToken: page.at(-1)?.name } : {} };
}

export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!isJson(request.headers['content-type']))
    throw new StorageError(415, 'invalid', 'The Content-Type must be application/json.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxJsonBytes) throw new StorageError(413, 'uploadTooLarge', 'The metadata is too large.');
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks));
}

export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badRequest(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is invalid'}`.trim());
}

export function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest('The URL is not properly encoded');
  }
}

export function sendJson({ response }: Pick<Exchange, 'response'>, status: number, body: object): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'Content-Type': 'application/json; charset=UTF-8',
      'Content-Length': Buffer.byteLength(text),
    })
    .end(text);
}

export function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const known = error instanceof StorageError ? error : unexpected(error);
  // The rest of a refused body is not waited for.
  response.setHeader('Connection', 'close');
  if (known.code === 304) response.writeHead(304).end();
  else sendJson({ response }, known.code, known);
}

function unexpected(error: unknown): StorageError {
  const noRoom = noRoomMessage(error);
  // Not 429, which clients try again for minutes.
  if (noRoom) return new StorageError(403, 'quotaExceeded', noRoom);
  return new StorageError(500, 'internalError', error instanceof Error ? error.message : String(error));
}
