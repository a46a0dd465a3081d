import { crc32 } from 'node:zlib';

export type Change = {
  collection: string;
  key: string /** Nothing deletes the key. */;
  json: string | undefined;
};
/** Offset and length in bytes. */
export type Span = { offset: number; bytes: number };
export type Line = {
  collection: string;
  key: string /** The whole line. */;
  at: Span;
  json: Span | undefined;
};

const newline = 0x0a;
const tab = 0x09;
const checksumLength = 8;
const more = '+';
const last = '.';

/**
 * A line of the journal: `CRC32 FLAG COLLECTION KEY [JSON]` with tabs between, so that a load needs no value to be
 * parsed. The checksum is over what follows it. The last line of a batch has the flag `.`, the others `+`.
 */
export function encodeLine({ collection, key, json }: Change, isLast: boolean): string {
  if (!isKey(collection + key)) throw new Error(`no key of the journal: ${JSON.stringify(key)}`);
  const fields = [isLast ? last : more, collection, key, ...(json === undefined ? [] : [json])];
  const text = fields.join('\t');
  return `${crc32(text).toString(16).padStart(checksumLength, '0')}\t${text}\n`;
}

/** Whether a line can hold it: fields end at a tab, lines at a newline. */
export function isKey(text: string): boolean {
  return !/[\t\n]/.test(text);
}

/** Ends a batch whose last line may be gone. */
export const endOfBatch = encodeLine({ collection: '', key: '', json: undefined }, true);

/** The bytes of a batch that begins at this place in the file, and where its lines will lie. */
export function encodeBatch(changes: readonly Change[], start: number): { bytes: Buffer; lines: Line[] } {
  const encoded = changes.map((change, n) => Buffer.from(encodeLine(change, n === changes.length - 1)));
  let offset = start;
  const lines = changes.map(({ collection, key, json }, n): Line => {
    const at = { offset, bytes: encoded[n]?.length ?? 0 };
    offset += at.bytes;
    const jsonBytes = json === undefined ? 0 : Buffer.byteLength(json);
    // The text is the last field, before the newline.
    const text = { offset: offset - 1 - jsonBytes, bytes: jsonBytes };
    return { collection, key, at, json: json === undefined ? undefined : text };
  });
  return { bytes: Buffer.concat(encoded), lines };
}

export type Contents = {
  /** The changes of every whole batch, in order. */
  lines: Line[];
  /** Where the last whole batch ends. What follows was never acknowledged. */
  end: number;
  /** What lies before `end` and cannot be read. */
  damaged: Span[];
};

/** Reads a journal as far as it can be trusted. */
export function decodeLines(bytes: Buffer): Contents {
  const contents: Contents = { lines: [], end: 0, damaged: [] };
  let batch: Line[] = [];
  let doubtful: Span[] = [];
  for (let offset = 0, stop = bytes.indexOf(newline); stop >= 0; stop = bytes.indexOf(newline, offset)) {
    const at = { offset, bytes: stop + 1 - offset };
    const read = decodeLine(bytes, at);
    if (read) batch.push(read.line);
    else doubtful.push(at);
    offset = stop + 1;
    if (!read?.isLast) continue;
    for (const line of batch) contents.lines.push(line);
    contents.damaged.push(...doubtful);
    contents.end = offset;
    batch = [];
    doubtful = [];
  }
  return contents;
}

function decodeLine(bytes: Buffer, at: Span): { line: Line; isLast: boolean } | undefined {
  const stop = at.offset + at.bytes - 1;
  const text = at.offset + checksumLength + 1;
  const checksum = bytes.toString('latin1', at.offset, text);
  if (checksum !== `${crc32(bytes.subarray(text, stop)).toString(16).padStart(checksumLength, '0')}\t`)
    return undefined;
  const collectionAt = text + 2;
  const keyAt = bytes.indexOf(tab, collectionAt) + 1;
  const nextTab = bytes.indexOf(tab, keyAt);
  const hasValue = nextTab >= 0 && nextTab < stop;
  const keyEnd = hasValue ? nextTab : stop;
  return {
    line: {
      collection: bytes.toString('utf8', collectionAt, keyAt - 1),
      key: bytes.toString('utf8', keyAt, keyEnd),
      at,
      json: hasValue ? { offset: keyEnd + 1, bytes: stop - keyEnd - 1 } : undefined,
    },
    isLast: bytes[text] === last.charCodeAt(0),
  };
}
