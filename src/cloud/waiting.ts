/** A stopwatch of waiting: counts the time in which at least one tracked promise is open, overlaps once. */
export class Waiting {
  readonly #now: () => number;
  #open = 0;
  #since = 0;
  #total = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  async track<T>(promise: Promise<T>): Promise<T> {
    if (this.#open === 0) this.#since = this.#now();
    this.#open += 1;
    try {
      return await promise;
    } finally {
      this.#open -= 1;
      if (this.#open === 0) this.#total += this.#now() - this.#since;
    }
  }

  /** Waited until now, a wait that is still open included. */
  milliseconds(): number {
    return this.#open === 0 ? this.#total : this.#total + this.#now() - this.#since;
  }
}
