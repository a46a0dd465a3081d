import { type Stream, streamSchema } from './streams.ts';

/**
 * The index file beside a segment tells of each of its lines in turn, so that a start reads some 50 bytes an entry and
 * parses nothing. A record is a kind, the line's length, and a body; numbers are little-endian:
 *
 *     row      f64 seconds · u32 nanos · u32 stream · u16 length · insertId
 *     deleted  u16 length · name of the log
 *     stream   u32 length · JSON: the next of the streams that this file numbers from 0; it has no line
 *     skipped  nothing: the line is no entry
 */
export type IndexRecord =
  | { kind: 'row'; line: number; seconds: number; nanos: number; stream: number; insertId: string }
  | { kind: 'deleted'; line: number; logName: string }
  | { kind: 'stream'; stream: Stream }
  | { kind: 'skipped'; line: number };

const kinds = { row: 1, deleted: 2, stream: 3, skipped: 4 } as const;
const headBytes = 5;
const rowBytes = headBytes + 18;

export function encodeRecord(record: IndexRecord): Buffer {
  switch (record.kind) {
    case 'row': {
      const bytes = head(kinds.row, record.line, rowBytes + record.insertId.length);
      bytes.writeDoubleLE(record.seconds, headBytes);
      bytes.writeUInt32LE(record.nanos, headBytes + 8);
      bytes.writeUInt32LE(record.stream, headBytes + 12);
      bytes.writeUInt16LE(record.insertId.length, headBytes + 16);
      bytes.write(record.insertId, rowBytes, 'latin1');
      return bytes;
    }
    case 'deleted': {
      const name = Buffer.from(record.logName);
      const bytes = head(kinds.deleted, record.line, headBytes + 2);
      bytes.writeUInt16LE(name.length, headBytes);
      return Buffer.concat([bytes, name]);
    }
    case 'stream': {
      const json = Buffer.from(JSON.stringify(record.stream));
      const bytes = head(kinds.stream, 0, headBytes + 4);
      bytes.writeUInt32LE(json.length, headBytes);
      return Buffer.concat([bytes, json]);
    }
    case 'skipped':
      return head(kinds.skipped, record.line, headBytes);
  }
}

/** The whole records at the beginning of these bytes, each with where it ends; what no record can be ends them. */
export function* decodeRecords(bytes: Buffer): Generator<{ record: IndexRecord; end: number }> {
  let at = 0;
  while (at + headBytes <= bytes.length) {
    const decoded = decodeRecord(bytes, at);
    if (!decoded) return;
    yield decoded;
    at = decoded.end;
  }
}

function decodeRecord(bytes: Buffer, start: number): { record: IndexRecord; end: number } | undefined {
  const line = bytes.readUInt32LE(start + 1);
  const body = start + headBytes;
  switch (bytes[start]) {
    case kinds.row: {
      const id = start + rowBytes;
      if (id > bytes.length) return undefined;
      const end = id + bytes.readUInt16LE(id - 2);
      if (end > bytes.length) return undefined;
      const record: IndexRecord = {
        kind: 'row',
        line,
        seconds: bytes.readDoubleLE(body),
        nanos: bytes.readUInt32LE(body + 8),
        stream: bytes.readUInt32LE(body + 12),
        insertId: bytes.toString('latin1', id, end),
      };
      return { record, end };
    }
    case kinds.deleted: {
      const name = body + 2;
      if (name > bytes.length) return undefined;
      const end = name + bytes.readUInt16LE(body);
      if (end > bytes.length) return undefined;
      return { record: { kind: 'deleted', line, logName: bytes.toString('utf8', name, end) }, end };
    }
    case kinds.stream: {
      const json = body + 4;
      if (json > bytes.length) return undefined;
      const end = json + bytes.readUInt32LE(body);
      const stream = end > bytes.length ? undefined : parseStream(bytes.toString('utf8', json, end));
      return stream && { record: { kind: 'stream', stream }, end };
    }
    case kinds.skipped:
      return { record: { kind: 'skipped', line }, end: body };
    default:
      return undefined;
  }
}

function parseStream(json: string): Stream | undefined {
  try {
    return streamSchema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

function head(kind: number, line: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  buffer.writeUInt8(kind, 0);
  buffer.writeUInt32LE(line, 1);
  return buffer;
}
