import type { Client as GrpcClient } from '@grpc/grpc-js';
import type { operationsProtos } from 'google-gax';
import { invoke, type Limits, quietPause, readMethod } from './call.ts';
import { cloudError } from './errors.ts';
import { type Call, CloudError, type OperationOutcome } from './ports/index.ts';
import { briefRead } from './retry.ts';
import type { Waiting } from './waiting.ts';

type Operation = operationsProtos.google.longrunning.IOperation;
type Road = { client: () => Promise<GrpcClient>; waiting: Waiting };

/** One long poll holds its call at most this long; then it is asked again. */
const longPollMs = 60_000;
const polling = { firstMs: 100, factor: 1.3, mostMs: 3_000 };

const waitOperation = readMethod('operations.wait', 300_000, briefRead);
const getOperation = readMethod('operations.get', 10_000);

/**
 * Waits until an operation is over or the call's deadline passes. WaitOperation answers at the moment of the end; a
 * server without it, or a proxy that cuts long calls, is polled instead.
 */
export async function awaitOperation(road: Road, name: string, call: Call): Promise<OperationOutcome> {
  const deadline = performance.now() + (call.timeoutMs ?? waitOperation.timeoutMs);
  const left = () => deadline - performance.now();
  let longPoll = true;
  let pause = polling.firstMs;
  while (left() > 0) {
    const timeoutMs = Math.ceil(left());
    try {
      const operation = longPoll
        ? await waitOnce(road, name, { ...call, timeoutMs })
        : await getOnce(road, name, { ...call, timeoutMs: Math.min(timeoutMs, getOperation.timeoutMs) });
      const outcome = toOutcome(operation);
      if (outcome) return outcome;
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      if (error.kind === 'deadline' && left() <= 0) break;
      if (!longPoll || !brokenLongPoll.includes(error.kind)) throw error;
      longPoll = false;
      continue;
    }
    if (longPoll) continue;
    await road.waiting.track(quietPause(Math.min(pause, left()), call.signal));
    pause = Math.min(pause * polling.factor, polling.mostMs);
  }
  return { state: 'running' };
}

const brokenLongPoll: readonly CloudError['kind'][] = ['unsupported', 'unavailable', 'deadline', 'internal'];

function waitOnce(road: Road, name: string, call: Call): Promise<Operation> {
  return invoke(road, waitOperation, name, call, async (client, limits) => {
    const { operationsProtos } = await import('google-gax');
    const { WaitOperationRequest } = operationsProtos.google.longrunning;
    const seconds = Math.max(1, Math.floor(Math.min(limits.timeoutMs, longPollMs) / 1000));
    const request = WaitOperationRequest.encode({ name, timeout: { seconds } }).finish();
    return send(client, 'WaitOperation', name, request, limits);
  });
}

function getOnce(road: Road, name: string, call: Call): Promise<Operation> {
  return invoke(road, getOperation, name, call, async (client, limits) => {
    const { operationsProtos } = await import('google-gax');
    const request = operationsProtos.google.longrunning.GetOperationRequest.encode({ name }).finish();
    return send(client, 'GetOperation', name, request, limits);
  });
}

/** A raw call on an API's own channel: gax has no waitOperation, and its wrappers decode what is not needed. */
async function send(
  client: GrpcClient,
  method: 'WaitOperation' | 'GetOperation',
  name: string,
  request: Uint8Array,
  limits: Limits,
): Promise<Operation> {
  const { operationsProtos, grpc } = await import('google-gax');
  const metadata = new grpc.Metadata();
  metadata.set('x-goog-request-params', `name=${encodeURIComponent(name)}`);
  return new Promise((resolve, reject) => {
    const sent = client.makeUnaryRequest<Uint8Array, Operation>(
      `/google.longrunning.Operations/${method}`,
      (bytes) => Buffer.from(bytes),
      (bytes) => operationsProtos.google.longrunning.Operation.decode(bytes),
      request,
      metadata,
      { deadline: Date.now() + limits.timeoutMs },
      (error, operation) => (operation ? resolve(operation) : reject(error)),
    );
    limits.signal.addEventListener('abort', () => sent.cancel(), { once: true });
  });
}

function toOutcome(operation: Operation): OperationOutcome | undefined {
  if (!operation.done) return undefined;
  const { error } = operation;
  if (!error) return { state: 'done' };
  return { state: 'failed', code: error.code ?? 0, said: error.message ?? '' };
}

/** The gRPC stub of a generated client is a grpc-js client: its channel carries raw calls too. */
export async function channelOf(stub: unknown): Promise<GrpcClient> {
  const { grpc } = await import('google-gax');
  if (stub instanceof grpc.Client) return stub;
  throw cloudError('internal', 'the client has no gRPC channel', { method: 'operations.wait', resource: '' });
}
