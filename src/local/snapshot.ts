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

export function openSnapshot<T>(file: string, schema: z.ZodType<T>, empty: T): Snapshot<T> {
  const value = existsSync(file) ? read(file, schema) : empty;
  let last: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  async function write(): Promise<void> {
    queued = undefined;
    await writeFileAtomic(file, JSON.stringify(value));
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

function read<T>(file: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new LocalCloudError(
      {
        what: `The local cloud's state cannot be read: ${file}`,
        why: error instanceof Error ? error.message : String(error),
        next: ['sluice local reset'],
      },
      { cause: error },
    );
  }
}
