import path from 'node:path';
import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { z } from 'zod';
import type { LogSink } from '../contracts.ts';
import { RpcError, unary } from '../grpc.ts';
import type { StoredEntry } from './entry.ts';
import { openInbox } from './inbox.ts';
import { fromSink, makeStamp, type Stamp } from './intake.ts';
import { listEntries, listLogs } from './list.ts';
import { EntryStore, type StoreLimits } from './store.ts';
import { googleLimits, type TailCall, type TailLimits, Tails } from './tail.ts';
import { makeClock } from './timestamp.ts';
import { deleteLogSchema, fromWire, invalid, listLogsSchema, listSchema, writeSchema } from './wire.ts';

export type LoggingBackend = {
  sink: LogSink;
  /** `google.logging.v2.LoggingServiceV2`: WriteLogEntries, ListLogEntries, ListLogs, DeleteLog, TailLogEntries. */
  service: UntypedServiceImplementation;
  stop(): Promise<void>;
};

/** Cloud Logging of the local cloud: entries in bounded files under `home`, an index of them in memory. */
export function openLogging(options: {
  home: string;
  tailLimits?: Partial<TailLimits>;
  limits?: Partial<StoreLimits>;
}): LoggingBackend {
  const store = new EntryStore(path.join(options.home, 'logs'), options.limits);
  const inbox = openInbox(store);
  const tails = new Tails(store, { ...googleLimits, ...options.tailLimits });
  const stamp = makeStamp(makeClock());
  /** Behind what was printed before the call. */
  const call = <Schema extends z.ZodType>(schema: Schema, handle: (request: z.output<Schema>) => object) =>
    unary((request) => {
      inbox.flush();
      return handle(parse(schema, request));
    });
  return {
    sink: { write: (entry) => inbox.add(fromSink(entry, stamp)) },
    service: {
      WriteLogEntries: call(writeSchema, (request) => writeEntries(request, stamp, store)),
      ListLogEntries: call(listSchema, (request) => listEntries(store, request)),
      ListLogs: call(listLogsSchema, (request) => listLogs(store, request)),
      DeleteLog: call(deleteLogSchema, ({ logName }) => {
        if (!store.deleteLog(logName)) throw new RpcError(status.NOT_FOUND, `Log ${logName} does not exist`);
        return {};
      }),
      TailLogEntries: (call: TailCall) => tails.serve(call),
    },
    async stop() {
      tails.stop();
      inbox.close();
      store.close();
    },
  };
}

function writeEntries(request: z.output<typeof writeSchema>, stamp: Stamp, store: EntryStore): object {
  const refused: RpcError[] = [];
  const accepted: StoredEntry[] = [];
  for (const entry of request.entries) {
    try {
      accepted.push(fromWire(entry, request, stamp));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      refused.push(error);
    }
  }
  const [first] = refused;
  if (first && !request.partialSuccess) throw first;
  if (!request.dryRun) store.write(accepted);
  if (first)
    throw new RpcError(status.INVALID_ARGUMENT, `${refused.length} entries refused: ${first.details}`);
  return {};
}

function parse<Schema extends z.ZodType>(schema: Schema, request: unknown): z.output<Schema> {
  const parsed = schema.safeParse(request);
  if (!parsed.success) throw invalid(parsed.error.issues[0]?.message ?? 'malformed request');
  return parsed.data;
}
