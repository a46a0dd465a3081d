import type { IncomingMessage } from 'node:http';
import { type RawData, WebSocket } from 'ws';
import type { MessageSpec } from '../config/check-spec.ts';
import { noAnswer } from './no-answer.ts';
import {
  createTranscript,
  type Heed,
  type Reading,
  type Told,
  type Transcript,
} from './websocket-transcript.ts';

/** Where conversations are held, and how. */
export type Door = Reading & {
  url: URL;
  headers: Record<string, string>;
  subprotocols: string[];
  handshakeSeconds: number;
};

/** What happened on one connection; times in milliseconds. */
export type Conversation = {
  handshake: Handshake;
  /** Its times count from when the message was sent. */
  told: Told;
  end: End;
};

export type Handshake =
  | { kind: 'accepted'; ms: number }
  | { kind: 'refused'; ms: number; status: number; words: string; body: string }
  | { kind: 'failed'; ms: number; why: string };

export type End =
  /** All that was waited for came, or nothing more was to be expected. */
  | { kind: 'complete' }
  | { kind: 'closed'; code: number; reason: string }
  | { kind: 'deadline' }
  | { kind: 'broken'; why: string }
  /** The check as a whole was over. */
  | { kind: 'stopped' };

const maxMessageBytes = 1024 * 1024;
const maxBodyBytes = 4 * 1024;
/** After bad news, and after the last event: what else comes? */
const settleMs = 500;
const closeMs = 500;
/** A code that no close frame holds: there was none. */
const brokenOff = 1006;

/** One connection, one message (or none), and what came of it; ends by itself, whatever the service does. */
export function converse(
  door: Door,
  message: MessageSpec | null,
  signal: AbortSignal,
): Promise<Conversation> {
  return new Talk(door, message, signal).over;
}

class Talk {
  readonly over: Promise<Conversation>;
  readonly #door: Door;
  readonly #message: MessageSpec | null;
  readonly #socket: WebSocket;
  readonly #transcript: Transcript;
  readonly #began = performance.now();
  readonly #resolve: (conversation: Conversation) => void;
  readonly #forget: () => void;
  #sentAt = this.#began;
  #handshake: Handshake | undefined;
  #timer: NodeJS.Timeout;
  #settling = false;
  #ended = false;

  constructor(door: Door, message: MessageSpec | null, signal: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<Conversation>();
    this.over = promise;
    this.#resolve = resolve;
    this.#door = door;
    this.#message = message;
    this.#transcript = createTranscript(message, door);
    this.#socket = new WebSocket(door.url, door.subprotocols, socketOptions(door));
    this.#listen();
    const { handshakeSeconds: limit } = door;
    this.#timer = setTimeout(() => this.#fail(`no answer to the handshake within ${limit} s`), limit * 1000);
    const stop = () => this.#end({ kind: 'stopped' });
    signal.addEventListener('abort', stop);
    this.#forget = () => signal.removeEventListener('abort', stop);
    if (signal.aborted) stop();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('unexpected-response', (_, response) => this.#refused(response));
    socket.on('open', () => this.#opened());
    socket.on('message', (data, binary) => {
      this.#heed(this.#transcript.hear(bufferOf(data), binary, since(this.#sentAt)));
    });
    socket.on('ping', () => this.#heed(this.#transcript.ping()));
    socket.on('pong', () => this.#heed(this.#transcript.ping()));
    socket.on('error', (error) => this.#fail(problemOf(error, this.#door)));
    socket.on('close', (code, reason) => {
      if (code === brokenOff) this.#fail('the connection broke off without a close');
      else this.#end({ kind: 'closed', code, reason: this.#door.clean(reason.toString('utf8')) });
    });
  }

  /** The status is told even when the body never ends. */
  async #refused(response: IncomingMessage): Promise<void> {
    const { statusCode: status = 0, statusMessage: words = '' } = response;
    const refused = {
      kind: 'refused' as const,
      ms: since(this.#began),
      status,
      words: this.#door.clean(words, 60),
    };
    this.#handshake = { ...refused, body: '' };
    const body = this.#door.clean(await startOf(response));
    if (this.#handshake.kind === 'refused') this.#handshake.body = body;
    this.#end({ kind: 'complete' });
  }

  #opened(): void {
    this.#handshake = { kind: 'accepted', ms: since(this.#began) };
    this.#sentAt = performance.now();
    if (this.#message) {
      this.#socket.send(this.#message.send);
      this.#endIn(this.#message.deadlineSeconds * 1000, { kind: 'deadline' });
    } else {
      this.#endIn(settleMs, { kind: 'complete' });
    }
  }

  #heed(what: Heed): void {
    if (what === 'enough') this.#end({ kind: 'complete' });
    if (what === 'flood') this.#fail('it floods: far more came than an answer can be');
    if (what !== 'soon' || this.#settling) return;
    this.#settling = true;
    this.#endIn(settleMs, { kind: 'complete' });
  }

  #fail(why: string): void {
    this.#handshake ??= { kind: 'failed', ms: since(this.#began), why };
    this.#end({ kind: 'broken', why });
  }

  #endIn(ms: number, end: End): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(end), ms);
  }

  /** Only the first end counts; closing brings more of them. */
  #end(end: End): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#forget();
    const why = 'the time of the check was over';
    this.#handshake ??= { kind: 'failed', ms: since(this.#began), why };
    const told = structuredClone(this.#transcript.told);
    this.#resolve({ handshake: this.#handshake, told, end });
    if (this.#socket.readyState === WebSocket.OPEN && end.kind === 'complete') this.#socket.close(1000);
    else this.#socket.terminate();
  }
}

function socketOptions({ headers }: Door) {
  return {
    headers,
    // What is small on the wire and huge in memory is not even offered.
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    followRedirects: false,
    closeTimeout: closeMs,
  };
}

function since(moment: number): number {
  return Math.round((performance.now() - moment) * 10) / 10;
}

/** The library's own codes for frames that are none. */
const notFrames: Record<string, string> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'it sent a message over 1 MiB',
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 'it sent a message over 1 MiB',
  WS_ERR_INVALID_UTF8: 'it sent text that is no UTF-8',
};

function problemOf(error: Error, { url, clean }: Door): string {
  const code = 'code' in error ? String(error.code) : '';
  if (!code.startsWith('WS_ERR_')) return clean(noAnswer(error, url));
  return notFrames[code] ?? `it sent what is no WebSocket frame (${clean(error.message)})`;
}

function bufferOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

async function startOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBodyBytes) break;
    }
  } catch {
    // A body that breaks off still has a start.
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8');
}
