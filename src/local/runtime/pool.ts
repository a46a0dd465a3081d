import type { DeployReport, InstanceStart, RunnableRevision } from '../contracts.ts';
import { AcquireError } from './errors.ts';
import { type Host, type Instance, startInstance } from './instance.ts';
import { notStartedMessage } from './system-lines.ts';

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

export type Lease = { port: number; instanceId: string; timeoutSeconds: number; release(): void };

type Slot = {
  instance: Instance;
  /** Undefined while it starts. */
  port: number | undefined;
  active: number;
  idle: NodeJS.Timeout | undefined;
};
type ReadySlot = Slot & { port: number };
type Waiter = { serve(slot: ReadySlot): void; refuse(error: AcquireError): void };

const mostWaiting = 1000;

/** The instances of one revision, and the requests that wait for one. */
export class Pool {
  readonly #host: Host;
  readonly #revision: RunnableRevision;
  readonly #times: Times;
  readonly #slots = new Set<Slot>();
  readonly #uncleaned = new Set<Promise<void>>();
  readonly #waiters = new Set<Waiter>();
  #minimum = 0;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(host: Host, revision: RunnableRevision, times: Times) {
    this.#host = host;
    this.#revision = revision;
    this.#times = times;
  }

  async deploy(): Promise<DeployReport> {
    const slot = this.#start('DEPLOYMENT_ROLLOUT');
    if ((await slot.instance.ready) !== undefined) return { ready: true };
    const message = notStartedMessage(this.#revision);
    return { ready: false, reason: 'HEALTH_CHECK_CONTAINER_ERROR', message };
  }

  async acquire(): Promise<Lease> {
    const slot = this.#withRoom();
    if (slot) return this.#lease(slot);
    if (this.#closed) throw new AcquireError('unknown-revision', 'The revision is being removed.');
    if (this.#waiters.size >= mostWaiting) throw this.#noCapacity();
    const waiting = this.#wait();
    this.#grow();
    return waiting;
  }

  keep(minimum: number): void {
    this.#minimum = Math.min(minimum, this.#most);
    if (!this.#restart) this.#replenish();
  }

  /** Stops all instances; none starts any more. */
  async stop(graceMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    this.#refuseAll(new AcquireError('unknown-revision', 'The revision is being removed.'));
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

  /** The least busy instance that can take one more request. */
  #withRoom(): ReadySlot | undefined {
    const ready = [...this.#slots].filter(isReady).filter(({ active }) => active < this.#room);
    return ready.reduce<ReadySlot | undefined>(
      (best, slot) => (best && best.active <= slot.active ? best : slot),
      undefined,
    );
  }

  #lease(slot: ReadySlot): Lease {
    slot.active += 1;
    clearTimeout(slot.idle);
    let held = true;
    return {
      port: slot.port,
      instanceId: slot.instance.id,
      timeoutSeconds: this.#revision.timeoutSeconds,
      release: () => {
        if (!held) return;
        held = false;
        slot.active -= 1;
        this.#serve();
        if (slot.active === 0) this.#awaitIdle(slot);
      },
    };
  }

  #wait(): Promise<Lease> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout;
      const settle = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        serve: (slot) => {
          settle();
          resolve(this.#lease(slot));
        },
        refuse: (error) => {
          settle();
          reject(error);
        },
      };
      const expire = () => {
        // The startup probe bounds the wait for an instance that starts.
        if (this.#starting > 0) timer = setTimeout(expire, this.#times.pendingMs);
        else waiter.refuse(this.#noCapacity());
      };
      timer = setTimeout(expire, this.#times.pendingMs);
      this.#waiters.add(waiter);
    });
  }

  #serve(): void {
    for (const waiter of this.#waiters) {
      const slot = this.#withRoom();
      if (!slot) break;
      waiter.serve(slot);
    }
  }

  get #starting(): number {
    return [...this.#slots].filter((slot) => !isReady(slot)).length;
  }

  /** As many instances as the waiting requests need, up to the maximum. */
  #grow(): void {
    const wanted = Math.ceil(this.#waiters.size / this.#room);
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
      this.#refuseAll(new AcquireError('not-started', message));
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

  #refuseAll(error: AcquireError): void {
    for (const waiter of this.#waiters) waiter.refuse(error);
  }

  #noCapacity(): AcquireError {
    return new AcquireError(
      'no-capacity',
      'The request was aborted because there was no available instance.',
    );
  }
}

function isReady(slot: Slot): slot is ReadySlot {
  return slot.port !== undefined;
}
