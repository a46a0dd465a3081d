import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Fault } from './contracts.ts';
import { RpcError } from './grpc.ts';

type UnaryHandler = handleUnaryCall<object, object>;
type StreamHandler = handleServerStreamingCall<object, object>;
type Answer = Parameters<Parameters<UnaryHandler>[1]>;

export type Faults = {
  /** Goes wrong at the next matching calls. */
  inject(fault: Fault): void;
  /** The same service, whose calls fail as injected. */
  wrap(
    definition: ServiceDefinition,
    implementation: UntypedServiceImplementation,
  ): UntypedServiceImplementation;
};

export function openFaults(): Faults {
  const armed: Fault[] = [];
  const reads = new ReadHistory();

  function take(method: string): Fault['kind'] | undefined {
    const fault = armed.find((each) => each.method === method && each.times > 0);
    if (!fault) return undefined;
    fault.times -= 1;
    return fault.kind;
  }

  function unary(method: string, handle: UnaryHandler): UnaryHandler {
    return (call, callback) => {
      const fault = take(method);
      const answer = reads.follow(method, call.request, callback);
      if (!fault || 'cutStreamAfter' in fault) handle(call, answer);
      else if ('error' in fault) callback(new RpcError(fault.error.code, fault.error.message));
      else if ('delayMs' in fault) setTimeout(() => handle(call, answer), fault.delayMs);
      else if ('lostReply' in fault) handle(call, () => callback(unavailable('the reply was lost')));
      else callback(...(reads.beforeLastWrite(method, call.request) ?? [notRead]));
    };
  }

  function stream(method: string, handle: StreamHandler): StreamHandler {
    return (call) => {
      const fault = take(method);
      if (fault && 'error' in fault) call.emit('error', new RpcError(fault.error.code, fault.error.message));
      else if (fault && 'delayMs' in fault) setTimeout(() => handle(call), fault.delayMs);
      else if (fault && 'cutStreamAfter' in fault) handle(cut(call, fault.cutStreamAfter));
      else handle(call);
    };
  }

  return {
    inject: (fault) => armed.push({ ...fault }),
    wrap(definition, implementation) {
      const wrapped = Object.entries(definition).map(([name, { path, responseStream }]) => {
        const method = path.slice(1);
        const handle: unknown = implementation[name];
        // grpc-js does not type the handlers of a service; the definition says which kind each one is.
        return [
          name,
          responseStream ? stream(method, handle as StreamHandler) : unary(method, handle as UnaryHandler),
        ];
      });
      return Object.fromEntries(wrapped);
    },
  };
}

function unavailable(why: string): RpcError {
  return new RpcError(status.UNAVAILABLE, `Injected fault: ${why}.`);
}

const notRead: Partial<ServiceError> = unavailable('a stale read of what was never read before');

function cut(call: ServerWritableStream<object, object>, messages: number) {
  const write = call.write.bind(call);
  let left = messages;
  call.write = (...args: Parameters<typeof write>) => {
    if (left > 0) {
      left -= 1;
      return write(...args);
    }
    if (left === 0) call.emit('error', unavailable('the stream was cut'));
    left = -1;
    return false;
  };
  return call;
}

const maxRemembered = 50;

/** What Cloud Run's reads answered before its last write. */
class ReadHistory {
  readonly #answers = new Map<string, { writes: number; answer: Answer; before?: Answer }>();
  #writes = 0;

  /** Counts a write, or passes a read's answer on and remembers it. */
  follow(method: string, request: object, callback: Parameters<UnaryHandler>[1]): typeof callback {
    if (!method.startsWith('google.cloud.run.')) return callback;
    if (!/\/(Get|List)/.test(method)) {
      this.#writes += 1;
      return callback;
    }
    const writes = this.#writes;
    return (...answer) => {
      this.#remember(keyOf(method, request), writes, answer);
      callback(...answer);
    };
  }

  beforeLastWrite(method: string, request: object): Answer | undefined {
    const known = this.#answers.get(keyOf(method, request));
    return known && known.writes < this.#writes ? known.answer : known?.before;
  }

  #remember(key: string, writes: number, answer: Answer): void {
    const known = this.#answers.get(key);
    const before = known && known.writes < writes ? known.answer : known?.before;
    this.#answers.delete(key);
    this.#answers.set(key, { writes, answer, ...(before && { before }) });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > maxRemembered && oldest !== undefined) this.#answers.delete(oldest);
  }
}

function keyOf(method: string, request: object): string {
  return `${method} ${JSON.stringify(request)}`;
}
