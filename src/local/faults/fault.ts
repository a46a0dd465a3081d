import { z } from 'zod';

/** The APIs that a fault can be in, as a person names them. */
export const faultApis = ['run', 'build', 'logging', 'storage', 'secrets', 'sql', 'operations'] as const;
export type FaultApi = (typeof faultApis)[number];

/** By number, from 0; source: google/rpc/code.proto. */
const codes = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'],
  ...['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];
export const errorCodes = codes.slice(1);
export const codeNumber = (name: string): number => codes.indexOf(name);

const hourMs = 3_600_000;

/** What goes wrong on purpose, how often, with which calls. Kept in memory only: a restart forgets it. */
export const faultSpecSchema = z.strictObject({
  api: z.enum(faultApis),
  /** As Google names it, for example `UpdateService` or `objects.insert`; every method without it. */
  method: z.string().max(100).optional(),
  /** The call fails with this status; alone, it has no effect. */
  code: z.enum(errorCodes).optional(),
  message: z.string().min(1).max(1000).optional(),
  /** The call begins this much later. */
  latencyMs: z.int().min(1).max(hourMs).optional(),
  /** The call takes effect, its answer does not arrive: UNAVAILABLE, or `code`. */
  dropReply: z.literal(true).optional(),
  /** For this long after a write to the API, its reads answer what was true before that write. */
  staleReadMs: z.int().min(1).max(hourMs).optional(),
  /** A gRPC stream fails (UNAVAILABLE, or `code`) after so many messages, an HTTP answer breaks off after so many bytes. */
  cutStreamAfter: z.int().min(0).max(1_000_000_000).optional(),
  /** So many calls go wrong, then no more; without it, all until it is cleared. */
  times: z.int().min(1).max(1_000_000).optional(),
  /** Of the calls that it is about, this part goes wrong. */
  probability: z.number().gt(0).max(1).optional(),
  /** The same seed picks the same calls. */
  seed: z.int().min(0).max(0xffff_ffff).optional(),
});
export type FaultSpec = z.infer<typeof faultSpecSchema>;

/** An armed fault, with what became of it. */
export const faultSchema = faultSpecSchema.extend({
  id: z.string(),
  /** How many calls went wrong by it. */
  hits: z.int(),
});
export type Fault = z.infer<typeof faultSchema>;

/** `GET /local/faults` */
export const faultsSchema = z.object({ faults: z.array(faultSchema) });

/** Why a fault makes no sense, in a sentence; nothing when it does. */
export function senseless(fault: FaultSpec): string | undefined {
  const { api, code, message, latencyMs, dropReply, staleReadMs, cutStreamAfter } = fault;
  const outcomes = [dropReply, staleReadMs, cutStreamAfter].filter((outcome) => outcome !== undefined);
  if (outcomes.length > 1)
    return 'A call has one outcome: a dropped reply, a stale read or a cut stream, in several faults if need be.';
  if (outcomes.length === 0 && code === undefined && latencyMs === undefined)
    return 'Nothing goes wrong: give a code, a latency, a dropped reply, a stale read or a cut stream.';
  if (staleReadMs !== undefined && code !== undefined) return 'A stale read succeeds: it has no code.';
  if (message !== undefined && code === undefined && !dropReply && cutStreamAfter === undefined)
    return 'A message needs a failure to tell: a code, a dropped reply or a cut stream.';
  if (fault.seed !== undefined && fault.probability === undefined)
    return 'A seed picks calls by a probability: give both.';
  if (staleReadMs !== undefined && (api === 'storage' || api === 'operations'))
    return `Reads of ${api} are never stale: ${api === 'storage' ? 'Cloud Storage is strongly consistent' : 'an operation is written by no call'}.`;
  return undefined;
}
