import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { badRequest, StorageError } from './errors.ts';
import type { ObjectSettings, ObjectStore, Preconditions, StoredObject } from './objects.ts';
import { maxObjectBytes, StagedFile } from './staged.ts';

const maxSessions = 100;
const chunkUnit = 256 * 1024;

export type ResumableTarget = {
  bucket: string;
  name: string;
  settings: ObjectSettings;
  conditions: Preconditions;
  /** Checks the content against hashes that the client promised. */
  verify(content: { md5Hash: string; crc32c: string }): void;
};

type Session = { target: ResumableTarget; staged: StagedFile; busy: boolean; finished?: StoredObject };

/** `incomplete` is answered by 308 with how many bytes are here. */
export type ResumableResult =
  | { kind: 'incomplete'; received: number }
  | { kind: 'finished'; object: StoredObject };

/** Uploads in pieces. A session lives as long as the process; a client begins anew after that. */
export class ResumableUploads {
  private readonly store: ObjectStore;
  private readonly sessions = new Map<string, Session>();

  constructor(store: ObjectStore) {
    this.store = store;
  }

  async begin(target: ResumableTarget): Promise<string> {
    const id = randomUUID();
    const staged = await StagedFile.create(this.store.staging);
    this.sessions.set(id, { target, staged, busy: false });
    const [oldest] = this.sessions.keys();
    if (this.sessions.size > maxSessions && oldest !== undefined) await this.cancel(oldest);
    return id;
  }

  /** Takes a piece, or only answers how far the upload is (`Content-Range: bytes * / *`). */
  async put(id: string, request: IncomingMessage): Promise<ResumableResult> {
    const session = this.find(id);
    const range = parseContentRange(request.headers['content-range']);
    if (session.finished) return { kind: 'finished', object: session.finished };
    if (session.busy)
      throw new StorageError(409, 'conflict', 'Another request of this upload is in progress.');
    session.busy = true;
    try {
      const { staged } = session;
      if (range.kind === 'piece') await receive(staged, request, range);
      const complete = range.total === 'body' ? request.complete : range.total === staged.size;
      if (!complete) return { kind: 'incomplete', received: staged.size };
      session.finished = await this.finish(id, session);
      return { kind: 'finished', object: session.finished };
    } finally {
      session.busy = false;
    }
  }

  async cancel(id: string): Promise<void> {
    const session = this.find(id);
    this.sessions.delete(id);
    await session.staged.discard();
  }

  async stop(): Promise<void> {
    for (const id of [...this.sessions.keys()]) await this.cancel(id);
  }

  private async finish(id: string, { staged, target }: Session): Promise<StoredObject> {
    try {
      const content = await staged.finish();
      target.verify(content);
      return this.store.commit(target, content, target.settings, target.conditions);
    } catch (error) {
      await this.cancel(id);
      throw error;
    }
  }

  private find(id: string): Session {
    const session = this.sessions.get(id);
    if (!session) throw new StorageError(404, 'notFound', 'No such upload session.');
    return session;
  }
}

/** `total`: a size, `body` (this body is all the rest), or `later` (more pieces will tell). */
type ContentRange = { total: number | 'body' | 'later' } & (
  | { kind: 'query' }
  | { kind: 'piece'; start: number; length: number | undefined }
);

function parseContentRange(header: string | undefined): ContentRange {
  if (header === undefined) return { kind: 'piece', start: 0, length: undefined, total: 'body' };
  const match = /^bytes (?:\*|(\d{1,15})-(?:(\d{1,15})|\*))\/(?:(\d{1,15})|\*)$/.exec(header);
  if (!match) throw badRequest(`Failed to parse Content-Range header '${header.slice(0, 100)}'.`);
  const [, first, last, size] = match;
  if (size !== undefined && Number(size) > maxObjectBytes) {
    throw new StorageError(
      413,
      'uploadTooLarge',
      `The local cloud takes objects of at most ${maxObjectBytes} bytes.`,
    );
  }
  if (first === undefined) return { kind: 'query', total: size === undefined ? 'later' : Number(size) };
  const start = Number(first);
  if (last === undefined) {
    return { kind: 'piece', start, length: undefined, total: size === undefined ? 'body' : Number(size) };
  }
  if (Number(last) < start) throw badRequest('Content-Range ends before it begins.');
  const length = Number(last) - start + 1;
  return { kind: 'piece', start, length, total: size === undefined ? 'later' : Number(size) };
}

/** Appends what is new of a piece; bytes that are here already are skipped. A cut connection keeps what came. */
async function receive(
  staged: StagedFile,
  request: IncomingMessage,
  { start, length, total }: ContentRange & { kind: 'piece' },
): Promise<void> {
  let skip = staged.size - start;
  if (skip < 0) throw new StorageError(503, 'backendError', `Bytes before ${start} are missing.`);
  const last = typeof total === 'number' && length !== undefined && start + length === total;
  if (length !== undefined && !last && length % chunkUnit !== 0) {
    throw badRequest(`Pieces must be a multiple of ${chunkUnit} bytes.`);
  }
  let left = length ?? Number.POSITIVE_INFINITY;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (chunk.length > left) throw badRequest('The body is longer than its Content-Range.');
      left -= chunk.length;
      const fresh = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - fresh.length;
      if (fresh.length > 0) await staged.append(fresh);
    }
  } catch (error) {
    if (request.destroyed && !request.complete) return;
    throw error;
  }
}
