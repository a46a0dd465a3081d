import { crc32 } from 'node:zlib';

export type ZipEntry = {
  name: string;
  body?: string /** With the file's type. */;
  mode?: number /** What it says it is. */;
  size?: number;
};

/** A .zip of stored entries, names as they are given: no library would write the bad ones. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, body = '', mode = 0o100644, size } of entries) {
    const [file, content] = [Buffer.from(name), Buffer.from(body)];
    const facts = Buffer.alloc(20);
    facts.writeUInt32LE(0x0021_0000, 2); // Time and date.
    facts.writeUInt32LE(crc32(content), 6);
    facts.writeUInt32LE(size ?? content.length, 10);
    facts.writeUInt32LE(size ?? content.length, 14);
    facts.writeUInt16LE(file.length, 18);
    const local = Buffer.concat([
      Buffer.from([0x50, 0x4b, 3, 4, 20, 0, 0, 8]),
      facts,
      Buffer.alloc(2),
      file,
      content,
    ]);
    const tail = Buffer.alloc(16);
    tail.writeUInt32LE((mode << 16) >>> 0, 8);
    tail.writeUInt32LE(offset, 12);
    directory.push(Buffer.concat([Buffer.from([0x50, 0x4b, 1, 2, 20, 3, 20, 0, 0, 8]), facts, tail, file]));
    locals.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, list, end]);
}
