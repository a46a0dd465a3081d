/** Several sources, one reader: what arrives waits here in order. */
export type Mailbox<T> = {
  put(item: T): void;
  /** The next item, or undefined after `ms` without one. Rejects when the signal fires. */
  take(ms: number): Promise<T | undefined>;
};

export function createMailbox<T>(signal: AbortSignal): Mailbox<T> {
  const items: T[] = [];
  let wake: (() => void) | undefined;
  signal.addEventListener('abort', () => wake?.(), { once: true });
  return {
    put(item) {
      items.push(item);
      wake?.();
    },
    async take(ms) {
      if (items.length === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      signal.throwIfAborted();
      return items.shift();
    },
  };
}
