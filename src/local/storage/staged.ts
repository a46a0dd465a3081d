import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { crc32c, encodeCrc32c } from './crc32c.ts';
import { tooLarge } from './errors.ts';

export const maxObjectBytes = 512 * 1024 * 1024;

/** The content of an object to be: complete on disk, not yet visible. */
export type StagedContent = { file: string; size: number; md5Hash: string; crc32c: string };

/** An upload on its way to disk, hashed as it arrives. */
export class StagedFile {
  readonly file: string;
  private readonly handle: FileHandle;
  private readonly md5 = createHash('md5');
  private crc = 0;
  private bytes = 0;

  static async create(folder: string): Promise<StagedFile> {
    const file = path.join(folder, randomUUID());
    return new StagedFile(file, await open(file, 'wx', 0o600));
  }

  private constructor(file: string, handle: FileHandle) {
    this.file = file;
    this.handle = handle;
  }

  get size(): number {
    return this.bytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    if (this.bytes + chunk.length > maxObjectBytes) throw tooLarge(maxObjectBytes);
    await this.handle.writeFile(chunk);
    this.md5.update(chunk);
    this.crc = crc32c(chunk, this.crc);
    this.bytes += chunk.length;
  }

  async finish(): Promise<StagedContent> {
    await this.handle.close();
    return {
      file: this.file,
      size: this.bytes,
      md5Hash: this.md5.digest('base64'),
      crc32c: encodeCrc32c(this.crc),
    };
  }

  /** Leaves nothing behind; also after a failure halfway. */
  async discard(): Promise<void> {
    await this.handle.close().catch(() => {});
    await rm(this.file, { force: true });
  }
}

/** Streams a whole body into one staged file; nothing stays when it fails. */
export async function stage(folder: string, body: AsyncIterable<Uint8Array>): Promise<StagedContent> {
  const staged = await StagedFile.create(folder);
  try {
    for await (const chunk of body) await staged.append(chunk);
    return await staged.finish();
  } catch (error) {
    await staged.discard();
    throw error;
  }
}
