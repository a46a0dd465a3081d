import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { StorageError } from './errors.ts';
import { metagenerationOf, type StoredObject } from './objects.ts';

/** Answers `alt=media`: the whole content, or the one range asked for. */
export async function sendMedia(
  request: IncomingMessage,
  response: ServerResponse,
  object: StoredObject,
  file: string,
): Promise<void> {
  const range = parseRange(request.headers.range, object.size);
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${object.size}`);
    throw new StorageError(416, 'requestedRangeNotSatisfiable', 'The requested range cannot be satisfied.');
  }
  const { start, end } = range ?? { start: 0, end: object.size - 1 };
  response.writeHead(range ? 206 : 200, {
    'Content-Type': object.contentType ?? 'application/octet-stream',
    'Content-Length': end - start + 1,
    'Accept-Ranges': 'bytes',
    ...(range && { 'Content-Range': `bytes ${start}-${end}/${object.size}` }),
    ...(object.contentEncoding && { 'Content-Encoding': object.contentEncoding }),
    ETag: `"${object.md5Hash}"`,
    'x-goog-generation': object.generation,
    'x-goog-metageneration': metagenerationOf(object),
    'x-goog-hash': `crc32c=${object.crc32c},md5=${object.md5Hash}`,
    'x-goog-stored-content-encoding': object.contentEncoding ?? 'identity',
    'x-goog-stored-content-length': object.size,
  });
  if (end < start) response.end();
  else await pipeline(createReadStream(file, { start, end }), response);
}

/** One range of bytes; undefined for none, or for a header that HTTP tells to ignore. */
export function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (!match || match[0] === 'bytes=-') return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') {
    const count = Math.min(Number(last), size);
    return count === 0 ? 'unsatisfiable' : { start: size - count, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}
