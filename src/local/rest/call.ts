import { EventEmitter } from 'node:events';
import { type handleUnaryCall, Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';

type UnaryCall = ServerUnaryCall<object, object>;

/** A call over HTTP in the dress of one over gRPC, so that both roads lead to the very same handler. */
class RestCall extends EventEmitter implements UnaryCall {
  readonly request: object;
  readonly metadata = new Metadata();
  cancelled = false;
  readonly #host: string;
  readonly #path: string;

  constructor(request: object, origin: { host: string; path: string; signal: AbortSignal }) {
    super();
    this.request = request;
    this.#host = origin.host;
    this.#path = origin.path;
    origin.signal.addEventListener('abort', () => {
      this.cancelled = true;
      this.emit('cancelled');
    });
  }

  getPeer = () => '127.0.0.1';
  getHost = () => this.#host;
  getPath = () => this.#path;
  getDeadline = () => Number.POSITIVE_INFINITY;
  sendMetadata = () => undefined;
  getAuthContext = () => ({});
  getMetricsRecorder = (): never => {
    throw new Error('A call over HTTP has no metrics.');
  };
}

/** Resolves with the handler's answer; rejects with its `RpcError`. */
export function callUnary(
  handler: handleUnaryCall<object, object>,
  request: object,
  origin: { host: string; path: string; signal: AbortSignal },
): Promise<object> {
  return new Promise((resolve, reject) => {
    handler(new RestCall(request, origin), (error, answer) => {
      if (!error) resolve(answer ?? {});
      else if (error instanceof RpcError) reject(error);
      else reject(new RpcError(error.code ?? status.UNKNOWN, error.details ?? 'unknown'));
    });
  });
}
