import { setTimeout as sleep } from 'node:timers/promises';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type ArmedFaults, failureOf, isRead } from './armed.ts';
import type { Fault, FaultApi } from './fault.ts';
import { Road } from './road.ts';

type UnaryHandler = handleUnaryCall<object, object>;
type StreamHandler = handleServerStreamingCall<object, object>;
type Answer = Parameters<Parameters<UnaryHandler>[1]>;

const apisByPackage: Readonly<Record<string, FaultApi>> = {
  'google.cloud.run.v2': 'run',
  'google.devtools.cloudbuild.v1': 'build',
  'google.logging.v2': 'logging',
  'google.longrunning': 'operations',
};

/** Services whose calls meet the faults, over gRPC and over what calls the same handlers. */
export function faultyServices(faults: ArmedFaults) {
  const road = new Road<Answer>(faults);

  function unary(api: FaultApi, method: string, handle: UnaryHandler): UnaryHandler {
    return async (call, callback) => {
      const perform = () => new Promise<Answer>((resolve) => handle(call, (...answer) => resolve(answer)));
      const read = isRead(method) && {
        key: `${method} ${JSON.stringify(call.request)}`,
        again: perform,
      };
      callback(
        ...(await road.pass({ api, method, perform, failed: (error) => [error], ...(read && { read }) })),
      );
    };
  }

  function stream(api: FaultApi, method: string, handle: StreamHandler): StreamHandler {
    return async (call) => {
      const { latencyMs, outcome } = faults.take(api, method, ({ staleReadMs }) => staleReadMs === undefined);
      if (latencyMs > 0) await sleep(latencyMs, undefined, { ref: false });
      if (outcome?.cutStreamAfter !== undefined) handle(cut(call, outcome));
      else if (outcome) call.emit('error', failureOf(outcome));
      else handle(call);
    };
  }

  /** The same service, behind the faults. */
  return (definition: ServiceDefinition, implementation: UntypedServiceImplementation) => {
    const wrapped = Object.entries(definition).map(([name, { path, responseStream }]) => {
      const api = apisByPackage[path.slice(1, path.lastIndexOf('.'))];
      const handle: unknown = implementation[name];
      if (!api) throw new Error(`Of which API is ${path}?`);
      faults.serve(api, [name]);
      // grpc-js does not type the handlers of a service; the definition says which kind each one is.
      const handler = responseStream
        ? stream(api, name, handle as StreamHandler)
        : unary(api, name, handle as UnaryHandler);
      return [name, handler];
    });
    return Object.fromEntries(wrapped);
  };
}

function cut(call: ServerWritableStream<object, object>, fault: Fault) {
  const write = call.write.bind(call);
  let left = fault.cutStreamAfter ?? 0;
  call.write = (...args: Parameters<typeof write>) => {
    if (left > 0) {
      left -= 1;
      return write(...args);
    }
    if (left === 0) call.emit('error', failureOf(fault));
    left = -1;
    return false;
  };
  return call;
}
