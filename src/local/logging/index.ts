import path from 'node:path';
import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { z } from 'zod';
import type { LogSink } from '../contracts.ts';
import { RpcError, unary } from '../grpc.ts';
import type { StoredEntry } from './entry.ts';
import { fromSink, makeStamp, type Stamp } from './intake.ts';
import { listEntries, listLogs } from './list.ts';
import { openSegments } from './segments.ts';
import { EntryStore } from './store.ts';
import { googleLimits, type TailCall, type TailLimits, Tails } from './tail.ts';
import { makeClock } from './timestamp.ts';
import { fromWire, invalid, listLogsSchema, listSchema, writeSchema } from './wire.ts';

export type LoggingBackend = {
  sink: LogSink;
  /** `google.logging.v2.LoggingServiceV2`: WriteLogEntries, ListLogEntries, ListLogs, TailLogEntries. */
  service: UntypedServiceImplementation;
  stop(): Promise<void>;
};

/** Cloud Logging of the local cloud: entries in memory, and in bounded files under `home` over a restart. */
export function openLogging(options: { home: string; tailLimits?: Partial<TailLimits> }): LoggingBackend {
  const store = new EntryStore();
  const segments = openSegments(path.join(options.home, 'logs'), (entry) => store.add(entry));
  const tails = new Tails(store, { ...googleLimits, ...options.tailLimits });
  const stamp = makeStamp(makeClock());
  const add = (entry: StoredEntry) => {
    if (store.add(entry)) segments.append(entry);
  };
  return {
    sink: { write: (entry) => add(fromSink(entry, stamp)) },
    service: {
      WriteLogEntries: unary((request) => writeEntries(parse(writeSchema, request), stamp, add)),
      ListLogEntries: unary((request) => listEntries(store, parse(listSchema, request))),
      ListLogs: unary((request) => listLogs(store, parse(listLogsSchema, request))),
      TailLogEntries: (call: TailCall) => tails.serve(call),
    },
    async stop() {
      tails.stop();
      segments.close();
    },
  };
}

function writeEntries(
  request: z.output<typeof writeSchema>,
  stamp: Stamp,
  add: (entry: StoredEntry) => void,
): object {
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
  if (!request.dryRun) for (const entry of accepted) add(entry);
  if (first)
    throw new RpcError(status.INVALID_ARGUMENT, `${refused.length} entries refused: ${first.details}`);
  return {};
}

function parse<Schema extends z.ZodType>(schema: Schema, request: unknown): z.output<Schema> {
  const parsed = schema.safeParse(request);
  if (!parsed.success) throw invalid(parsed.error.issues[0]?.message ?? 'malformed request');
  return parsed.data;
}
