import type { DeployReport, InstanceStart, RunnableRevision, Runtime } from '../contracts.ts';
import { AcquireError } from './errors.ts';
import { type Host, type Instance, startInstance } from './instance.ts';
import { notStartedMessage } from './system-lines.ts';
import { WaitingLine } from './waiting-line.ts';

export type Times = {
  /** An instance without a request for so long is stopped, unless a minimum keeps it. */
  idleMs: number;
  /** From SIGTERM to SIGKILL. */
  graceMs: number;
  /** From the exit of an instance that a minimum keeps to its successor. */
  restartMs: number;
  /** How long a request waits for room when no instance is starting. */
  pendingMs: number;
};

export type Lease = Awaited<ReturnType<Runtime['acquire']>>;

type Slot = {
  instance: Instance;
  /** Undefined while it starts. */
  port: number | undefined;
  active: number;
  idle: NodeJS.Timeout | undefined;
};
type ReadySlot = Slot & { port: number };

/** The instances of one revision, and the requests that wait for one. */
export class Pool {
  readonly #host: Host;
  readonly #revision: RunnableRevision;
  readonly #times: Times;
  readonly #slots = new Set<Slot>();
  readonly #uncleaned = new Set<Promise<void>>();
  readonly #waiting: WaitingLine<Lease>;
  #minimum = 0;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(host: Host, revision: RunnableRevision, times: Times) {
    this.#host = host;
    this.#revision = revision;
    this.#times = times;
    // The startup probe bounds the wait for an instance that starts.
    this.#waiting = new WaitingLine(times.pendingMs, () => this.#starting > 0);
  }

  async deploy(): Promise<DeployReport> {
    const slot = this.#start('DEPLOYMENT_ROLLOUT');
    if ((await slot.instance.ready) !== undefined) return { ready: true };
    const message = notStartedMessage(this.#revision);
    return { ready: false, reason: 'HEALTH_CHECK_CONTAINER_ERROR', message };
  }

  async acquire(preferredInstance?: string): Promise<Lease> {
    if (this.#closed) throw removed();
    const lease = this.#lease(preferredInstance);
    if (lease) return lease;
    const waiting = this.#waiting.join();
    this.#grow();
    return waiting;
  }

  keep(minimum: number): void {
    this.#minimum = Math.min(minimum, this.#most);
    if (!this.#restart) this.#replenish();
  }

  /** What idles now begins to wait anew. */
  idleTimeoutChanged(): void {
    for (const slot of this.#slots) {
      if (isReady(slot) && slot.active === 0) this.#awaitIdle(slot);
    }
  }

  /** Stops all instances; none starts any more. */
  async stop(graceMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    this.#waiting.refuseAll(removed());
    for (const slot of this.#slots) this.#retire(slot, graceMs);
    await Promise.all(this.#uncleaned);
  }

  get #most(): number {
    return Math.max(1, this.#revision.maxInstances);
  }

  get #room(): number {
    return Math.max(1, this.#revision.concurrency);
  }

  #start(reason: InstanceStart): Slot {
    const instance = startInstance(this.#host, this.#revision, reason);
    const slot: Slot = { instance, port: undefined, active: 0, idle: undefined };
    this.#slots.add(slot);
    instance.ready.then((port) => {
      if (port === undefined || !this.#slots.has(slot)) return;
      slot.port = port;
      this.#serve();
      if (slot.active === 0) this.#awaitIdle(slot);
    });
    instance.gone.addEventListener('abort', () => this.#exited(slot), { once: true });
    this.#uncleaned.add(instance.cleaned);
    instance.cleaned.then(() => this.#uncleaned.delete(instance.cleaned));
    return slot;
  }

  /** A place at the preferred instance, or at the least busy one that has room. */
  #lease(preferredInstance?: string): Lease | undefined {
    const { sessionAffinity } = this.#revision;
    const free = [...this.#slots]
      .filter(isReady)
      .filter(({ active }) => active < this.#room)
      .sort((a, b) => a.active - b.active);
    const preferred = free.find(({ instance }) => sessionAffinity && instance.id === preferredInstance);
    const slot = preferred ?? free[0];
    if (!slot) return undefined;
    slot.active += 1;
    clearTimeout(slot.idle);
    let held = true;
    return {
      port: slot.port,
      instanceId: slot.instance.id,
      timeoutSeconds: this.#revision.timeoutSeconds,
      sessionAffinity,
      gone: slot.instance.gone,
      release: () => {
        if (!held) return;
        held = false;
        slot.active -= 1;
        this.#serve();
        if (slot.active === 0) this.#awaitIdle(slot);
      },
    };
  }

  #serve(): void {
    this.#waiting.serve(() => this.#lease());
  }

  get #starting(): number {
    return [...this.#slots].filter((slot) => !isReady(slot)).length;
  }

  /** As many instances as the waiting requests need, up to the maximum. */
  #grow(): void {
    const wanted = Math.ceil(this.#waiting.length / this.#room);
    while (!this.#closed && this.#starting < wanted && this.#slots.size < this.#most)
      this.#start('AUTOSCALING');
  }

  #replenish(): void {
    while (!this.#closed && this.#slots.size < this.#minimum) this.#start('MANUAL_OR_CUSTOMER_MIN_INSTANCE');
  }

  #exited(slot: Slot): void {
    clearTimeout(slot.idle);
    this.#slots.delete(slot);
    if (slot.port === undefined && this.#slots.size === 0) {
      const message = `Revision ${this.#revision.revision}: the instance did not start.`;
      this.#waiting.refuseAll(new AcquireError('not-started', message));
    }
    this.#grow();
    if (this.#closed || this.#restart || this.#slots.size >= this.#minimum) return;
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      this.#replenish();
    }, this.#times.restartMs);
  }

  #awaitIdle(slot: Slot): void {
    clearTimeout(slot.idle);
    if (!this.#slots.has(slot)) return;
    slot.idle = setTimeout(() => {
      if (this.#slots.size > this.#minimum) this.#retire(slot, this.#times.graceMs);
      else this.#awaitIdle(slot);
    }, this.#times.idleMs);
    slot.idle.unref();
  }

  #retire(slot: Slot, graceMs: number): void {
    clearTimeout(slot.idle);
    this.#slots.delete(slot);
    void slot.instance.stop(graceMs);
  }
}

function removed(): AcquireError {
  return new AcquireError('unknown-revision', 'The revision is being removed.');
}

function isReady(slot: Slot): slot is ReadySlot {
  return slot.port !== undefined;
}
