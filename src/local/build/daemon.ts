import type { LocalImage } from '../contracts.ts';
import { StepError } from './failure.ts';
import { type LocalImageStore, parseReference } from './image-store.ts';

/** The images that one build's steps have made or named, as its Docker daemon holds them, and the registry behind. */
export type Daemon = {
  /** By a name that a step gave, else from the registry. */
  find(reference: string): LocalImage | undefined;
  /** Whether a step gave this name. */
  has(reference: string): boolean;
  tag(reference: string, digest: string): void;
  /** Makes the image known to everybody; undefined when no step gave this name. */
  push(reference: string): Promise<LocalImage | undefined>;
};

export function openDaemon(images: LocalImageStore): Daemon {
  const tagged = new Map<string, string>();
  return {
    find(reference) {
      const own = tagged.get(fullName(reference));
      return own === undefined ? images.resolve(reference) : images.load(own);
    },
    has: (reference) => tagged.has(fullName(reference)),
    tag(reference, digest) {
      tagged.set(fullName(reference), digest);
    },
    async push(reference) {
      const digest = tagged.get(fullName(reference));
      if (digest === undefined) return undefined;
      await images.push(reference, digest);
      return images.load(digest);
    },
  };
}

function fullName(reference: string): string {
  const parsed = parseReference(reference);
  if (!parsed) throw new StepError(`invalid reference format: "${reference}"`);
  return `${parsed.repository}:${parsed.digest ?? parsed.tag}`;
}
