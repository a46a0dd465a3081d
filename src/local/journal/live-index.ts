import type { Line, Span } from './lines.ts';

type Entry = { at: Span; json: Span };

/** Which line of the file holds a key's value now. */
export class LiveIndex {
  readonly #collections = new Map<string, Map<string, Entry>>();
  #bytes = 0;

  /** Of all lines that are not outdated. */
  get bytes(): number {
    return this.#bytes;
  }

  enter({ collection, key, at, json }: Line): void {
    const entries = this.#collections.get(collection) ?? new Map<string, Entry>();
    this.#collections.set(collection, entries);
    this.#bytes += (json ? at.bytes : 0) - (entries.get(key)?.at.bytes ?? 0);
    if (json) entries.set(key, { at, json });
    else entries.delete(key);
  }

  /** The oldest first. */
  keys(collection: string): string[] {
    return [...(this.#collections.get(collection)?.keys() ?? [])];
  }

  /** Where the text of a key lies. */
  text(collection: string, key: string): Span | undefined {
    return this.#collections.get(collection)?.get(key)?.json;
  }

  /** The lines, in the order in which `pack` takes them for written. */
  lines(): Span[] {
    return this.#entries().map(({ at }) => at);
  }

  /** The lines lie one after the other from the file's beginning now. */
  pack(): void {
    let offset = 0;
    for (const { at, json } of this.#entries()) {
      json.offset += offset - at.offset;
      at.offset = offset;
      offset += at.bytes;
    }
  }

  #entries(): Entry[] {
    return [...this.#collections.values()].flatMap((entries) => [...entries.values()]);
  }
}
