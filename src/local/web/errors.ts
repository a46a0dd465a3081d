import { status } from '@grpc/grpc-js';
import { detailJson } from '../error-details.ts';
import { asRpcError } from '../grpc.ts';

/** By gRPC code; source: google/rpc/code.proto. */
const httpCodes: Readonly<Record<number, number>> = {
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.UNAUTHENTICATED]: 401,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
};

/** A failed call as Google's JSON APIs answer it; source: google.aip.dev/193. */
export function errorBody(error: unknown, httpCode?: number) {
  const { code, message, info } = asRpcError(error);
  const http = httpCode ?? httpCodes[code] ?? 500;
  const details = info.length > 0 && { details: info.map(detailJson) };
  return { http, body: { error: { code: http, message, status: status[code] ?? 'UNKNOWN', ...details } } };
}
