import { ZodError, type z } from 'zod';
import { LocalCloudError } from '../errors.ts';
import type { Journal } from './journal.ts';

/** Values by key, in memory and in the journal. Values may be changed in place; `put` then writes what they are. */
export type Collection<T> = {
  get(key: string): T | undefined;
  /** The oldest key first. */
  values(): Iterable<T>;
  readonly size: number;
  /**
   * At once in memory, and on the disk when it resolves. When it cannot be written, the key has its former value again,
   * `undo` has been called, and it rejects with an RpcError for the caller.
   */
  put(value: T, undo?: () => void): Promise<void>;
  /** As `put`; the undoing moves the key to the end. */
  delete(key: string, undo?: () => void): Promise<void>;
};

/** The collection of this name in the journal. Its texts are parsed here and never again. */
export function openCollection<T>(options: {
  journal: Journal;
  /** Without tabs and line ends, as are keys. */
  name: string;
  schema: z.ZodType<T>;
  keyOf(value: NoInfer<T>): string;
  /** What of a value is written; the schema reads it. Default: all. */
  record?(value: NoInfer<T>): unknown;
}): Collection<T> {
  const { journal, name, schema, keyOf, record = (value) => value } = options;
  const values = new Map<string, T>();
  for (const [key, json] of journal.read(name))
    values.set(key, parse(`${name}/${key} in ${journal.file}`, json, schema));

  function write(
    key: string,
    json: string | undefined,
    before: T | undefined,
    undo: (() => void) | undefined,
  ) {
    return journal.write({ collection: name, key, json }, () => {
      if (before === undefined) values.delete(key);
      else values.set(key, before);
      undo?.();
    });
  }

  return {
    get: (key) => values.get(key),
    values: () => values.values(),
    get size() {
      return values.size;
    },
    put(value, undo) {
      const key = keyOf(value);
      const before = values.get(key);
      const json = JSON.stringify(record(value));
      values.set(key, value);
      return write(key, json, before, undo);
    },
    async delete(key, undo) {
      const before = values.get(key);
      if (before === undefined) return;
      values.delete(key);
      await write(key, undefined, before, undo);
    },
  };
}

function parse<T>(what: string, json: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(json));
  } catch (error) {
    throw new LocalCloudError({
      what: `The local cloud's state cannot be read: ${what}`,
      // Where, never what: it may be a secret.
      why: `It is not what this version of the local cloud writes${placeOf(error)}.`,
      next: ['sluice local reset'],
    });
  }
}

function placeOf(error: unknown): string {
  const issue = error instanceof ZodError ? error.issues[0] : undefined;
  return issue ? `, at ${issue.path.join('.')}` : '';
}
