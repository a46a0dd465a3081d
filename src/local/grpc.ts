import {
  type handleUnaryCall,
  Metadata,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { detailTrailers, type ErrorDetail } from './error-details.ts';
import { noRoomMessage } from './no-room.ts';

/** A failed call, with a code of `grpc.status` and Google's sentence. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  /** What grpc-js sends as the status message. */
  readonly details: string;
  /** What it says beside its sentence. */
  readonly info: readonly ErrorDetail[];

  constructor(code: number, message: string, info: readonly ErrorDetail[] = []) {
    super(message);
    this.code = code;
    this.details = message;
    this.info = info;
  }

  /** What grpc-js sends as trailers. */
  get metadata(): Metadata {
    return this.info.length > 0 ? detailTrailers(this.code, this.message, this.info) : new Metadata();
  }
}

/** INVALID_ARGUMENT for one field of the request. */
export function invalidField(field: string, description: string): RpcError {
  const violation: ErrorDetail = { kind: 'BadRequest', fieldViolations: [{ field, description }] };
  return new RpcError(status.INVALID_ARGUMENT, description, [violation]);
}

/** A unary handler written as an async function; anything it throws that is no `RpcError` is INTERNAL. */
export function unary<Request, Response>(
  handle: (request: Request, call: ServerUnaryCall<Request, Response>) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return async (call, callback) => {
    try {
      callback(null, await handle(call.request, call));
    } catch (error) {
      callback(asRpcError(error));
    }
  };
}

export function asRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const noRoom = noRoomMessage(error);
  if (noRoom) return new RpcError(status.RESOURCE_EXHAUSTED, noRoom);
  return new RpcError(status.INTERNAL, error instanceof Error ? error.message : String(error));
}

/** Every method of a service: those that are not implemented are refused by name. */
export function complete(
  definition: ServiceDefinition,
  implementation: UntypedServiceImplementation,
): UntypedServiceImplementation {
  const refused = Object.keys(definition)
    .filter((method) => !(method in implementation))
    .map((method) => [
      method,
      unary(() => {
        throw new RpcError(status.UNIMPLEMENTED, `The local cloud does not implement ${method}.`);
      }),
    ]);
  return { ...Object.fromEntries(refused), ...implementation };
}

export type Timestamp = { seconds: string; nanos: number };

export function toTimestamp(date: Date): Timestamp {
  const milliseconds = date.getTime();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: String(seconds), nanos: (milliseconds - seconds * 1000) * 1_000_000 };
}
