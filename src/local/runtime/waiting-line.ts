import { AcquireError } from './errors.ts';

const mostWaiting = 1000;

/** Requests that wait for a place, first come, first served; bounded in number and time. */
export class WaitingLine<Place> {
  readonly #waiters = new Set<{ serve(place: Place): void; refuse(error: AcquireError): void }>();
  readonly #patienceMs: number;
  readonly #mayHope: () => boolean;

  /** Who has waited `patienceMs` is refused, unless there is still reason to hope; then it waits as long again. */
  constructor(patienceMs: number, mayHope: () => boolean) {
    this.#patienceMs = patienceMs;
    this.#mayHope = mayHope;
  }

  get length(): number {
    return this.#waiters.size;
  }

  /** Rejects with an AcquireError when no place comes free. */
  join(): Promise<Place> {
    if (this.#waiters.size >= mostWaiting) return Promise.reject(noCapacity());
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout;
      const leave = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter = {
        serve(place: Place) {
          leave();
          resolve(place);
        },
        refuse(error: AcquireError) {
          leave();
          reject(error);
        },
      };
      const wait = () => {
        timer = setTimeout(() => (this.#mayHope() ? wait() : waiter.refuse(noCapacity())), this.#patienceMs);
      };
      wait();
      this.#waiters.add(waiter);
    });
  }

  /** Gives places away as long as somebody waits and `next` has one. */
  serve(next: () => Place | undefined): void {
    for (const waiter of this.#waiters) {
      const place = next();
      if (place === undefined) return;
      waiter.serve(place);
    }
  }

  refuseAll(error: AcquireError): void {
    for (const waiter of this.#waiters) waiter.refuse(error);
  }
}

function noCapacity(): AcquireError {
  return new AcquireError('no-capacity', 'The request was aborted because there was no available instance.');
}
