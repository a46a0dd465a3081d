import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { z } from 'zod';
import { RpcError, unary } from './grpc.ts';
import { openCollection } from './journal/collection.ts';
import type { Journal } from './journal/journal.ts';
import type { PackedAny } from './protos.ts';

export type OperationOutcome = { response: PackedAny } | { error: { code: number; message: string } };

/** `google.longrunning.Operation`, as it goes over the wire. */
export type Operation = {
  name: string;
  metadata: PackedAny;
  done: boolean;
  response?: PackedAny;
  error?: { code: number; message: string };
};

/** The long-running operations of every API on the port, kept over a restart. Names are chosen by the API. */
export type OperationStore = {
  /** Resolves when the operation is on the disk. */
  create(name: string, metadata: PackedAny): Promise<Operation>;
  /** Replaces the metadata of an operation that runs. */
  update(name: string, metadata: PackedAny): Promise<void>;
  /** Ends an operation and answers everybody who waits for it. A second end, or the end of a deleted operation, is ignored. */
  complete(name: string, outcome: OperationOutcome, metadata?: PackedAny): Promise<void>;
  get(name: string): Operation | undefined;
  /** Resolves when the operation is done, or after the timeout with what it is then. */
  wait(name: string, timeoutMs: number, signal?: AbortSignal): Promise<Operation | undefined>;
  /** Those whose name begins with this, oldest first. */
  list(prefix: string): Operation[];
  delete(name: string): Promise<boolean>;
  /** Answers all waiters at once, before the port closes. */
  stop(): void;
};

const maxFinished = 200;
/** One WaitOperation holds its connection at most this long; the client asks again. */
const maxWaitMs = 300_000;

const packedSchema = z.object({ type_url: z.string(), value: z.base64() });
const operationSchema = z.object({
  name: z.string(),
  metadata: packedSchema,
  done: z.boolean(),
  response: packedSchema.optional(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
});
type Stored = z.infer<typeof operationSchema>;

export function openOperations(options: { journal: Journal }): OperationStore {
  const stored = openCollection({
    journal: options.journal,
    name: 'operations',
    schema: operationSchema,
    keyOf: ({ name }) => name,
  });
  const finished = new Set([...stored.values()].filter(({ done }) => done).map(({ name }) => name));
  const waiters = new Map<string, Set<() => void>>();

  const wake = (name: string) => {
    for (const resolve of waiters.get(name) ?? []) resolve();
  };

  /** Stores the end of an operation, and forgets the one that ended first when there are too many. */
  async function finish(operation: Stored): Promise<void> {
    const [oldest] = finished.size < maxFinished ? [] : finished;
    finished.add(operation.name);
    await Promise.all([
      stored.put(operation, () => finished.delete(operation.name)),
      oldest !== undefined && forget(oldest),
    ]);
  }

  async function forget(name: string): Promise<void> {
    const wasFinished = finished.delete(name);
    await stored.delete(name, () => wasFinished && finished.add(name));
  }

  function ended(name: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const own = waiters.get(name) ?? new Set();
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        own.delete(finish);
        if (own.size === 0) waiters.delete(name);
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      signal?.addEventListener('abort', finish);
      waiters.set(name, own.add(finish));
    });
  }

  return {
    async create(name, metadata) {
      const operation: Stored = { name, metadata: store(metadata), done: false };
      await stored.put(operation);
      return restore(operation);
    },
    async update(name, metadata) {
      const operation = stored.get(name);
      if (!operation || operation.done) return;
      await stored.put({ ...operation, metadata: store(metadata) });
    },
    async complete(name, outcome, metadata) {
      const operation = stored.get(name);
      if (!operation || operation.done) return;
      await finish({
        ...operation,
        done: true,
        ...(metadata && { metadata: store(metadata) }),
        ...('error' in outcome
          ? { error: { code: outcome.error.code, message: outcome.error.message } }
          : { response: store(outcome.response) }),
      });
      wake(name);
    },
    get(name) {
      const operation = stored.get(name);
      return operation && restore(operation);
    },
    async wait(name, timeoutMs, signal) {
      const operation = stored.get(name);
      if (operation && !operation.done && !signal?.aborted) {
        await ended(name, Math.min(timeoutMs, maxWaitMs), signal);
      }
      return this.get(name);
    },
    list: (prefix) => [...stored.values()].filter(({ name }) => name.startsWith(prefix)).map(restore),
    async delete(name) {
      if (!stored.get(name)) return false;
      await forget(name);
      wake(name);
      return true;
    },
    stop() {
      for (const name of [...waiters.keys()]) wake(name);
    },
  };
}

function store({ type_url, value }: PackedAny): Stored['metadata'] {
  return { type_url, value: value.toString('base64') };
}

function unstore({ type_url, value }: Stored['metadata']): PackedAny {
  return { type_url, value: Buffer.from(value, 'base64') };
}

function restore({ name, metadata, done, response, error }: Stored): Operation {
  return {
    name,
    metadata: unstore(metadata),
    done,
    ...(response && { response: unstore(response) }),
    ...(error && { error }),
  };
}

type Named = { name: string };
type ListRequest = { name: string; pageSize?: number; pageToken?: string };
type WaitRequest = { name: string; timeout?: { seconds?: string; nanos?: number } };

/** `google.longrunning.Operations` over the store. Cancelling is left to the APIs' own methods, as at Cloud Run. */
export function operationsService(operations: OperationStore): UntypedServiceImplementation {
  const found = (name: string, operation: Operation | undefined) => {
    if (!operation) throw new RpcError(status.NOT_FOUND, `Operation '${name}' not found.`);
    return operation;
  };
  return {
    GetOperation: unary(({ name }: Named) => found(name, operations.get(name))),
    WaitOperation: unary(async ({ name, timeout }: WaitRequest, call) => {
      const aborted = new AbortController();
      call.once('cancelled', () => aborted.abort());
      const ms = timeout ? Number(timeout.seconds ?? 0) * 1000 + (timeout.nanos ?? 0) / 1e6 : maxWaitMs;
      return found(name, await operations.wait(name, ms, aborted.signal));
    }),
    ListOperations: unary(({ name, pageSize, pageToken }: ListRequest) => {
      const all = operations.list(name ? `${name}/` : '');
      const start = Number(pageToken || 0);
      const end = start + Math.min(pageSize || 100, 100);
      return {
        operations: all.slice(start, end),
        nextPageToken: end < all.length ? String(end) : '',
      };
    }),
    DeleteOperation: unary(async ({ name }: Named) => {
      if (!(await operations.delete(name))) found(name, undefined);
      return {};
    }),
  };
}
