import { z } from 'zod';
import { storedEntrySchema } from './entry.ts';

/**
 * What the entries of one log, one resource and one severity have in common. There are few of them, so a filter is
 * asked about each of them once and not about each entry. Without `resource`: of any.
 */
export const streamSchema = storedEntrySchema
  .pick({ logName: true, severity: true })
  .extend({ resource: z.exactOptional(storedEntrySchema.shape.resource) });

export type Stream = z.output<typeof streamSchema>;

const maxStreams = 100_000;

/** Streams by number, in the order of their arrival. */
export class Streams {
  private readonly numbers = new Map<string, number>();
  private readonly known: Stream[] = [];
  private readonly limit: number;

  constructor(limit = maxStreams) {
    this.limit = limit;
  }

  get count(): number {
    return this.known.length;
  }

  /** The number of a stream; beyond the limit new resources share one of their log's. */
  numberOf({ logName, severity, resource }: Stream): number {
    const key = JSON.stringify([logName, severity, resource]);
    const there = this.numbers.get(key);
    if (there !== undefined) return there;
    if (resource && this.known.length >= this.limit) return this.numberOf({ logName, severity });
    this.known.push({ logName, severity, ...(resource && { resource }) });
    this.numbers.set(key, this.known.length - 1);
    return this.known.length - 1;
  }

  at(number: number): Stream {
    const stream = this.known[number];
    if (!stream) throw new RangeError(`no stream ${number}`);
    return stream;
  }
}
