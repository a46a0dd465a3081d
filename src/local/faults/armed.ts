import { status } from '@grpc/grpc-js';
import { closest, distance } from 'fastest-levenshtein';
import { RpcError } from '../grpc.ts';
import type { Latency } from '../latency/index.ts';
import { codeNumber, type Fault, type FaultApi, type FaultSpec, senseless } from './fault.ts';
import { seeded } from './random.ts';

type Armed = { fault: Fault; random: () => number };

const maxArmed = 100;

/** The faults that wait for their calls, in the order in which they were added. */
export class ArmedFaults {
  readonly #armed: Armed[] = [];
  readonly #methods = new Map<string, Set<string>>();
  readonly #wroteAt = new Map<FaultApi, number>();
  readonly #beforeWrites: ((api: FaultApi) => Promise<void>)[] = [];
  #added = 0;
  readonly #latency: Latency;

  /** `latency`: how long calls take without any fault. */
  constructor(latency: Latency) {
    this.#latency = latency;
  }

  /** Makes methods known, so that a fault can be in them. */
  serve(api: FaultApi, methods: Iterable<string>): void {
    const known = this.#methods.get(api) ?? new Set();
    for (const method of methods) known.add(method);
    this.#methods.set(api, known);
  }

  /** Throws INVALID_ARGUMENT when it makes no sense or names nothing that is served. */
  add(spec: FaultSpec): Fault {
    const { api, method, probability } = spec;
    const known = [...(this.#methods.get(api) ?? [])];
    const why =
      senseless(spec) ?? (known.length === 0 ? `The local cloud does not serve ${api} yet.` : undefined);
    if (why) throw new RpcError(status.INVALID_ARGUMENT, why);
    if (method !== undefined && !known.includes(method)) throw unknownMethod(api, method, known);
    if (this.#armed.length >= maxArmed)
      throw new RpcError(status.RESOURCE_EXHAUSTED, `There are ${maxArmed} faults: clear some.`);
    const seed = probability === undefined ? undefined : (spec.seed ?? Math.floor(Math.random() * 2 ** 32));
    this.#added += 1;
    const fault: Fault = { ...spec, ...(seed !== undefined && { seed }), id: `f${this.#added}`, hits: 0 };
    this.#armed.push({ fault, random: seeded(seed ?? 0) });
    return { ...fault };
  }

  list(): Fault[] {
    return this.#armed.map(({ fault }) => ({ ...fault }));
  }

  /** The faults that are gone now: one by its id, or all. */
  clear(id?: string): Fault[] {
    const kept = this.#armed.filter(({ fault }) => id !== undefined && fault.id !== id);
    const gone = this.#armed.filter((each) => !kept.includes(each)).map(({ fault }) => fault);
    this.#armed.splice(0, Infinity, ...kept);
    return gone;
  }

  /** Whoever answers stale reads looks at the API now, before a write changes it. */
  onBeforeWrite(look: (api: FaultApi) => Promise<void>): void {
    this.#beforeWrites.push(look);
  }

  /** Performs a write; reads that happened before it and were looked at again are stale from now on. */
  async writing<Result>(api: FaultApi, write: () => Promise<Result>): Promise<Result> {
    const stale = ({ fault }: Armed) => fault.api === api && fault.staleReadMs !== undefined && left(fault);
    if (!this.#armed.some(stale)) return write();
    await Promise.all(this.#beforeWrites.map((look) => look(api)));
    this.#wroteAt.set(api, Date.now());
    try {
      return await write();
    } finally {
      this.#wroteAt.set(api, Date.now());
    }
  }

  wroteAt(api: FaultApi): number {
    return this.#wroteAt.get(api) ?? 0;
  }

  /**
   * What happens to this call: latencies add up, the first other outcome decides. Counts it. `applies` tells of a
   * fault that this call cannot have, such as a cut stream.
   */
  take(api: FaultApi, method: string, applies: (fault: Fault) => boolean): Taken {
    let latencyMs = this.#latency.ms(isRead(method) ? 'read' : 'write');
    let outcome: Fault | undefined;
    for (const { fault, random } of this.#armed) {
      if (fault.api !== api || (fault.method !== undefined && fault.method !== method)) continue;
      const decides = !onlyDelays(fault);
      if (!left(fault) || !applies(fault) || (decides && outcome)) continue;
      if (fault.probability !== undefined && random() >= fault.probability) continue;
      fault.hits += 1;
      latencyMs += fault.latencyMs ?? 0;
      if (decides) outcome = fault;
    }
    return { latencyMs, ...(outcome && { outcome }) };
  }
}

export type Taken = { latencyMs: number; outcome?: Fault };

/** What the caller of a failing call is told. */
export function failureOf({ code = 'UNAVAILABLE', message, id, dropReply }: Fault): RpcError {
  const said =
    message ?? `Injected fault ${id}${dropReply ? ': the call took effect, its reply was lost' : ''}.`;
  return new RpcError(codeNumber(code), said);
}

/** By its name, as Google names methods: `GetService`, `objects.list`. */
export const isRead = (method: string): boolean => /^(Get|List)|\.(get|list)$/.test(method);

const left = ({ times, hits }: Fault) => times === undefined || hits < times;

function onlyDelays({ code, dropReply, staleReadMs, cutStreamAfter }: Fault): boolean {
  return [code, dropReply, staleReadMs, cutStreamAfter].every((each) => each === undefined);
}

function unknownMethod(api: string, method: string, known: string[]): RpcError {
  const nearest = closest(method, known);
  const meant = distance(method.toLowerCase(), nearest.toLowerCase()) <= nearest.length / 2;
  const rest = meant ? `did you mean ${nearest}?` : `it has ${known.sort().join(', ')}.`;
  return new RpcError(status.INVALID_ARGUMENT, `The local cloud's ${api} has no method ${method}: ${rest}`);
}
