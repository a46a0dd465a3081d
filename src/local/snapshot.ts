import { existsSync, readFileSync } from 'node:fs';
import writeFileAtomic from 'write-file-atomic';
import type { z } from 'zod';
import { LocalCloudError } from './errors.ts';

/** A value that lives in one JSON file. Change `value` in place, then `save`. */
export type Snapshot<T> = {
  readonly value: T;
  /** Resolves when the value as it is now is on the disk. Calls made during a write share the next one. */
  save(): Promise<void>;
};

export type SnapshotOptions = {
  /** Only the user may read the file, and no word of it is quoted. */
  confidential?: boolean;
};

export function openSnapshot<T>(
  file: string,
  schema: z.ZodType<T>,
  empty: T,
  { confidential = false }: SnapshotOptions = {},
): Snapshot<T> {
  const value = existsSync(file) ? read(file, schema, confidential) : empty;
  let last: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  async function write(): Promise<void> {
    queued = undefined;
    await writeFileAtomic(file, JSON.stringify(value), confidential ? { mode: 0o600 } : {});
  }

  return {
    value,
    save() {
      if (!queued) {
        queued = last.then(write);
        last = queued.catch(() => {});
      }
      return queued;
    },
  };
}

function read<T>(file: string, schema: z.ZodType<T>, confidential: boolean): T {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new LocalCloudError(
      {
        what: `The local cloud's state cannot be read: ${file}`,
        why: confidential
          ? 'It is not what this version of the local cloud wrote.'
          : error instanceof Error
            ? error.message
            : String(error),
        next: ['sluice local reset'],
      },
      confidential ? {} : { cause: error },
    );
  }
}
