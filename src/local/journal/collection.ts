import { ZodError, type z } from 'zod';
import { LocalCloudError } from '../errors.ts';
import type { Journal } from './journal.ts';

/** Values by key, in memory and in the journal. Values may be changed in place; `put` then writes what they are. */
export type Collection<T> = {
  get(key: string): T | undefined;
  /** The oldest key first. */
  values(): Iterable<T>;
  keys(): Iterable<string>;
  readonly size: number;
  /**
   * At once in memory, and on the disk when it resolves. When it cannot be written, the key has its former value again,
   * `undo` has been called, and it rejects with an RpcError for the caller.
   */
  put(value: T, undo?: () => void): Promise<void>;
  /** As `put`; the undoing moves the key to the end. */
  delete(key: string, undo?: () => void): Promise<void>;
};

/** A value that lies on the disk only. */
const unread = Symbol('unread');

/** The collection of this name in the journal. */
export function openCollection<T>(options: {
  journal: Journal;
  /** Without tabs and line ends, as are keys. */
  name: string;
  schema: z.ZodType<T>;
  keyOf(value: NoInfer<T>): string;
  /** What of a value is written; the schema reads it. Default: all. */
  record?(value: NoInfer<T>): unknown;
  /** Values are read and checked when somebody asks for them; by default they all are now. */
  lazy?: boolean;
}): Collection<T> {
  const { journal, name, schema, keyOf, record = (value) => value, lazy = false } = options;
  const values = new Map<string, T | typeof unread>();
  for (const key of journal.keys(name)) values.set(key, lazy ? unread : read(key));

  function read(key: string): T {
    try {
      return schema.parse(JSON.parse(journal.read(name, key)));
    } catch (error) {
      throw unreadable(`${name}/${key} in ${journal.file}`, error);
    }
  }

  function get(key: string): T | undefined {
    const known = values.get(key);
    if (known !== unread) return known;
    const value = read(key);
    values.set(key, value);
    return value;
  }

  function write(
    key: string,
    value: T | undefined,
    json: string | undefined,
    undo: (() => void) | undefined,
  ): Promise<void> {
    const before = values.get(key);
    // Before the journal has it, which may undo it at once.
    if (value === undefined) values.delete(key);
    else values.set(key, value);
    return journal.write({ collection: name, key, json }, () => {
      if (before === undefined) values.delete(key);
      else values.set(key, before);
      undo?.();
    });
  }

  return {
    get,
    *values() {
      for (const key of values.keys()) {
        const value = get(key);
        if (value !== undefined) yield value;
      }
    },
    keys: () => values.keys(),
    get size() {
      return values.size;
    },
    put(value, undo) {
      const key = keyOf(value);
      return write(key, value, JSON.stringify(record(value)), undo);
    },
    async delete(key, undo) {
      if (!values.has(key)) return;
      await write(key, undefined, undefined, undo);
    },
  };
}

function unreadable(what: string, cause: unknown): LocalCloudError {
  return new LocalCloudError({
    what: `The local cloud's state cannot be read: ${what}`,
    // Where, never what: it may be a secret.
    why: `It is not what this version of the local cloud writes${placeOf(cause)}.`,
    next: ['sluice local reset'],
  });
}

function placeOf(error: unknown): string {
  const issue = error instanceof ZodError ? error.issues[0] : undefined;
  return issue ? `, at ${issue.path.join('.')}` : '';
}
