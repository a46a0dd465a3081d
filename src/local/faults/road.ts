import { setTimeout as sleep } from 'node:timers/promises';
import type { RpcError } from '../grpc.ts';
import { type ArmedFaults, failureOf } from './armed.ts';
import type { Fault, FaultApi } from './fault.ts';

/** A call on its way to the API that serves it. A call that fails has an answer too: its error. */
export type Call<Answer> = {
  api: FaultApi;
  method: string;
  /** Of a read: what makes two of them the same one, and how to make it again. */
  read?: { key: string; again(): Promise<Answer> };
  perform(): Promise<Answer>;
  failed(error: RpcError): Answer;
  /** The answer, breaking off; only where the road has such answers. */
  cut?(answer: Answer, fault: Fault): Answer;
};

const maxRemembered = 50;

type Past<Answer> = {
  /** How to make the newest reads again, oldest first. */
  reads: Map<string, () => Promise<Answer>>;
  /** What they answered before the last write. */
  before: Map<string, Answer>;
};

/** One kind of answers (gRPC's, HTTP's), and what the faults make of the calls that get them. */
export class Road<Answer> {
  readonly #faults: ArmedFaults;
  readonly #pasts = new Map<FaultApi, Past<Answer>>();

  constructor(faults: ArmedFaults) {
    this.#faults = faults;
    faults.onBeforeWrite(async (api) => {
      const past = this.#pastOf(api);
      const looks = [...past.reads].map(async ([key, again]) => [key, await again()] as const);
      past.before = new Map(await Promise.all(looks));
    });
  }

  /** Performs the call, unless a fault is in its way. */
  async pass(call: Call<Answer>): Promise<Answer> {
    const { api, method, read } = call;
    const past = this.#pastOf(api);
    if (read) remember(past.reads, read);
    const stale = read && past.before.get(read.key);
    const { latencyMs, outcome } = this.#faults.take(api, method, ({ cutStreamAfter, staleReadMs }) => {
      if (cutStreamAfter !== undefined) return call.cut !== undefined;
      if (staleReadMs === undefined) return true;
      return stale !== undefined && Date.now() < this.#faults.wroteAt(api) + staleReadMs;
    });
    if (latencyMs > 0) await sleep(latencyMs, undefined, { ref: false });
    if (!outcome) return this.#perform(call);
    if (outcome.staleReadMs !== undefined && stale !== undefined) return stale;
    if (outcome.dropReply) {
      await this.#perform(call);
      return call.failed(failureOf(outcome));
    }
    if (outcome.cutStreamAfter !== undefined && call.cut) return call.cut(await this.#perform(call), outcome);
    return call.failed(failureOf(outcome));
  }

  #perform({ api, read, perform }: Call<Answer>): Promise<Answer> {
    return read ? perform() : this.#faults.writing(api, perform);
  }

  #pastOf(api: FaultApi): Past<Answer> {
    const past = this.#pasts.get(api) ?? { reads: new Map(), before: new Map() };
    this.#pasts.set(api, past);
    return past;
  }
}

function remember<Answer>(reads: Past<Answer>['reads'], read: NonNullable<Call<Answer>['read']>): void {
  reads.delete(read.key);
  reads.set(read.key, read.again);
  const [oldest] = reads.keys();
  if (reads.size > maxRemembered && oldest !== undefined) reads.delete(oldest);
}
