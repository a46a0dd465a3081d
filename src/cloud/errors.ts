import { errorMessage } from '../errors.ts';
import { CloudError, type CloudErrorKind } from './ports/index.ts';

export type FailedCall = { method: string; resource: string; write: boolean };

const maxSaid = 2_000;

const grpcKinds: Record<number, CloudErrorKind> = {
  1: 'unavailable', // CANCELLED by the other side
  2: 'internal',
  3: 'invalid',
  4: 'deadline',
  5: 'not-found',
  6: 'already-exists',
  7: 'forbidden',
  8: 'exhausted',
  9: 'precondition',
  10: 'conflict',
  11: 'invalid',
  12: 'unsupported',
  13: 'internal',
  14: 'unavailable',
  15: 'internal',
  16: 'unauthenticated',
};

const httpKinds: Record<number, CloudErrorKind> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  408: 'deadline',
  409: 'conflict',
  412: 'precondition',
  429: 'exhausted',
  500: 'internal',
  501: 'unsupported',
  502: 'unavailable',
  503: 'unavailable',
  504: 'deadline',
};

const socketKinds: Record<string, CloudErrorKind> = {
  ECONNREFUSED: 'unavailable',
  ENOTFOUND: 'unavailable',
  EAI_AGAIN: 'unavailable',
  ECONNRESET: 'unavailable',
  EPIPE: 'unavailable',
  ETIMEDOUT: 'deadline',
};

/** After one of these nobody knows whether a write that was sent took effect. */
const lostAnswers: readonly CloudErrorKind[] = ['unavailable', 'deadline', 'internal', 'aborted'];

const neverSent = /^(No connection established|Name resolution failed)|ECONNREFUSED|ENOTFOUND|EAI_AGAIN/;
/** google-auth-library's several ways to say that there are no usable credentials. */
const badCredentials =
  /^Getting metadata from plugin failed|Could not load the default credentials|invalid_grant|invalid_rapt/;
const signIn = 'Sign in with: gcloud auth application-default login';

/** The one translation of what the official clients throw: gRPC, HTTP, auth and socket errors. */
export function toCloudError(error: unknown, call: FailedCall): CloudError {
  if (error instanceof CloudError) return error;
  const said = sentence(error);
  const kind = badCredentials.test(said) ? 'unauthenticated' : kindOf(error);
  const lost = call.write && lostAnswers.includes(kind) && !neverSent.test(said);
  return cloudError(lost ? 'outcome-unknown' : kind, said, call, error);
}

/** A call that ended on our side: its deadline passed, or the caller's signal fired. */
export function endedHere(kind: 'deadline' | 'aborted', said: string, call: FailedCall): CloudError {
  return cloudError(call.write ? 'outcome-unknown' : kind, said, call);
}

export function cloudError(
  kind: CloudErrorKind,
  said: string,
  call: { method: string; resource: string },
  cause?: unknown,
): CloudError {
  const bounded = said.length > maxSaid ? `${said.slice(0, maxSaid)}…` : said;
  return new CloudError(
    kind,
    {
      method: call.method,
      resource: call.resource,
      said: kind === 'unauthenticated' ? `${bounded}\n${signIn}` : bounded,
    },
    { cause },
  );
}

function kindOf(error: unknown): CloudErrorKind {
  const code = property(error, 'code') ?? property(error, 'status');
  if (typeof code === 'number') return (code < 100 ? grpcKinds : httpKinds)[code] ?? 'internal';
  if (typeof code !== 'string') return 'internal';
  return socketKinds[code] ?? httpKinds[Number(code)] ?? 'internal';
}

/** gRPC's `details` is the API's own sentence, `message` has the code's name before it. */
function sentence(error: unknown): string {
  const details = property(error, 'details');
  const message = errorMessage(error);
  const said = typeof details === 'string' && details !== '' ? details : message;
  return [said, ...violations(error)].join('\n');
}

/** `google.rpc.BadRequest` tells which field was wrong; the status message often does not. */
function violations(error: unknown): string[] {
  const details = property(error, 'statusDetails');
  return list(details)
    .flatMap((detail) => list(property(detail, 'fieldViolations')))
    .slice(0, 10)
    .map((violation) => `${property(violation, 'field')}: ${property(violation, 'description')}`);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
