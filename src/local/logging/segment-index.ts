/**
 * The index file beside a segment tells of each of its lines in turn, so that a start reads some 50 bytes an entry and
 * parses nothing. A record is a kind (u8), the length of its line (u32; 0: it has none), a body and a text (u32 length
 * and UTF-8); numbers are little-endian.
 *
 *     row        f64 seconds · u32 nanos · u32 channel · u32 resource; the text is the insertId
 *     channels   nothing; the next of the channels that this file numbers from 0, as JSON
 *     resources  nothing; the next of the resources
 *     deleted    nothing; the name of the log whose entries so far are gone
 *     skipped    nothing: the line is no entry
 */
const kinds = ['row', 'channels', 'resources', 'deleted', 'skipped'] as const;
type Kind = (typeof kinds)[number];

type TextRecord = { kind: Exclude<Kind, 'row'>; line: number; text: string };
type RowBody = { line: number; seconds: number; nanos: number; channel: number; resource: number };

export type NewRecord = TextRecord | ({ kind: 'row'; text: string } & RowBody);
/** A row's insertId is left where it lies: a start reads a million of them. */
export type KnownRow = { kind: 'row'; idStart: number; idEnd: number; bytes: Buffer } & RowBody;
export type KnownRecord = TextRecord | KnownRow;

const headBytes = 5;
const rowBytes = 20;
const bodyBytes = (kind: Kind | undefined) => (kind === 'row' ? rowBytes : 0);

export function encodeRecord(record: NewRecord): Buffer {
  const textAt = headBytes + bodyBytes(record.kind) + 4;
  const length = Buffer.byteLength(record.text);
  const bytes = Buffer.allocUnsafe(textAt + length);
  bytes.writeUInt8(kinds.indexOf(record.kind), 0);
  bytes.writeUInt32LE(record.line, 1);
  if (record.kind === 'row') {
    bytes.writeDoubleLE(record.seconds, headBytes);
    bytes.writeUInt32LE(record.nanos, headBytes + 8);
    bytes.writeUInt32LE(record.channel, headBytes + 12);
    bytes.writeUInt32LE(record.resource, headBytes + 16);
  }
  bytes.writeUInt32LE(length, textAt - 4);
  bytes.write(record.text, textAt);
  return bytes;
}

/**
 * Shows the whole records in turn, up to one that is refused or can be none. Answers where the last taken one ends.
 * All rows are shown in one object: a million of them would be most of what a start takes.
 */
export function readRecords(bytes: Buffer, take: (record: KnownRecord) => boolean): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const row: KnownRow = {
    kind: 'row',
    line: 0,
    seconds: 0,
    nanos: 0,
    channel: 0,
    resource: 0,
    bytes,
    idStart: 0,
    idEnd: 0,
  };
  let at = 0;
  while (at + headBytes <= bytes.length) {
    const kind = kinds[view.getUint8(at)];
    const body = at + headBytes;
    const start = body + bodyBytes(kind) + 4;
    if (kind === undefined || start > bytes.length) break;
    const end = start + view.getUint32(start - 4, true);
    if (end > bytes.length) break;
    const line = view.getUint32(at + 1, true);
    if (kind === 'row') {
      row.line = line;
      row.seconds = view.getFloat64(body, true);
      row.nanos = view.getUint32(body + 8, true);
      row.channel = view.getUint32(body + 12, true);
      row.resource = view.getUint32(body + 16, true);
      row.idStart = start;
      row.idEnd = end;
      if (!take(row)) break;
    } else if (!take({ kind, line, text: bytes.toString('utf8', start, end) })) break;
    at = end;
  }
  return at;
}
