import { badRequest } from './errors.ts';
import { parseJson } from './json.ts';

const maxHeadBytes = 256 * 1024;

export type RelatedBody = {
  metadata: unknown;
  contentType: string | undefined;
  media: AsyncIterable<Uint8Array>;
};

/**
 * Reads `multipart/related` as Storage takes it: a JSON part, then the media, which is streamed. Lines end in CRLF, or
 * all in LF alone, as Python's email package (and so gcloud) writes them.
 */
export async function readRelated(
  contentType: string | undefined,
  body: AsyncIterable<Uint8Array>,
): Promise<RelatedBody> {
  // In quotes, in the single ones of Python's `repr`, which gcloud sends, or in none.
  const boundary = /boundary=(?:"([^"]{1,70})"|'([^']{1,70})'|([^\s;'"]{1,70}))/i.exec(contentType ?? '');
  const name = boundary?.[1] ?? boundary?.[2] ?? boundary?.[3];
  if (!contentType?.startsWith('multipart/related') || name === undefined) {
    throw badRequest('A multipart upload needs the content type multipart/related with a boundary');
  }
  const chunks = body[Symbol.asyncIterator]();
  const reader = new PartReader(chunks, Buffer.from(`--${name}`));
  const json = await reader.readPart();
  const { contentType: mediaType } = await reader.readHead();
  return { metadata: parseJson(json), contentType: mediaType, media: reader.streamMedia() };
}

class PartReader {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly boundary: Buffer;
  private newline = '\r\n';
  private delimiter: Buffer = Buffer.alloc(0);
  private buffer: Buffer<ArrayBufferLike> = Buffer.alloc(0);

  constructor(chunks: AsyncIterator<Uint8Array>, boundary: Buffer) {
    this.chunks = chunks;
    this.boundary = boundary;
  }

  /** The first part's content. The line of the first boundary shows how all lines end. */
  async readPart(): Promise<Buffer> {
    await this.readUntil(this.boundary);
    const lineEnd = await this.readUntil(Buffer.from('\n'));
    this.newline = lineEnd.includes('\r') ? '\r\n' : '\n';
    this.delimiter = Buffer.concat([Buffer.from(this.newline), this.boundary]);
    // The head of a part ends with an empty line, and so may begin with its end.
    this.buffer = Buffer.concat([Buffer.from(this.newline), this.buffer]);
    await this.readHead();
    return this.readUntil(this.delimiter);
  }

  /** A part's headers, behind its boundary. */
  async readHead(): Promise<{ contentType: string | undefined }> {
    const head = await this.readUntil(Buffer.from(this.newline.repeat(2)));
    return { contentType: /^content-type:[ \t]*([^\r\n]+)/im.exec(head.toString('latin1'))?.[1]?.trim() };
  }

  /** The rest up to the closing boundary; an unfinished body is an error. */
  async *streamMedia(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const end = this.buffer.indexOf(this.delimiter);
      if (end >= 0) {
        yield this.buffer.subarray(0, end);
        await this.drain();
        return;
      }
      // The delimiter may be split over two chunks, so its length less one is held back.
      const safe = Math.max(0, this.buffer.length - this.delimiter.length + 1);
      yield this.buffer.subarray(0, safe);
      this.buffer = this.buffer.subarray(safe);
      await this.more();
    }
  }

  private async readUntil(mark: Buffer): Promise<Buffer> {
    for (;;) {
      const at = this.buffer.indexOf(mark);
      if (at >= 0) {
        const before = this.buffer.subarray(0, at);
        this.buffer = this.buffer.subarray(at + mark.length);
        return before;
      }
      if (this.buffer.length > maxHeadBytes) throw badRequest('The metadata part is too large');
      await this.more();
    }
  }

  private async more(): Promise<void> {
    const { value, done } = await this.chunks.next();
    if (done) throw badRequest('The multipart body ends before its closing boundary');
    this.buffer = Buffer.concat([this.buffer, value]);
  }

  private async drain(): Promise<void> {
    while (!(await this.chunks.next()).done);
  }
}
