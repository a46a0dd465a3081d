import { z } from 'zod';
import { type PlannedTraffic, trafficSchema } from './plan.ts';

/**
 * What Sluice writes on a service and its revisions, in the same write as the change itself, so that any
 * machine sees an unfinished release. Annotations are free text to Cloud Run; these parse or count as absent.
 */
export const marks = {
  release: 'sluice.dev/release',
  state: 'sluice.dev/state',
  /** The traffic that Sluice itself wrote: a revision, or a split as `chat-r1=90,chat-r2=10`. */
  pin: 'sluice.dev/pin',
  /** The revision the `candidate` tag was last given to. */
  candidate: 'sluice.dev/candidate',
  /** The revision whose verdict was `ready`. */
  verified: 'sluice.dev/verified',
  formerTraffic: 'sluice.dev/former-traffic',
  /** Keys that Sluice set and may remove again. */
  owns: 'sluice.dev/owns',
  /** On a revision: hash of the source, and the image that was built from it, of which alone this is true. */
  source: 'sluice.dev/source',
  built: 'sluice.dev/built',
} as const;

export const candidateTag = 'candidate';

const stateSchema = z.enum(['candidate', 'migrating', 'verified', 'failed']);
const ownsSchema = z.object({
  env: z.array(z.string()),
  secrets: z.array(z.string()),
  labels: z.array(z.string()),
});

export type ReleaseMark = z.infer<typeof stateSchema>;
export type Owned = z.infer<typeof ownsSchema>;

export type Marks = {
  release: string | null;
  state: ReleaseMark | null;
  pin: string | null;
  candidate: string | null;
  verified: string | null;
  formerTraffic: PlannedTraffic[] | null;
  owns: Owned;
};

export function readMarks(annotations: Record<string, string>): Marks {
  const text = (name: string): string | null => annotations[name] || null;
  return {
    release: text(marks.release),
    state: stateSchema.safeParse(annotations[marks.state]).data ?? null,
    pin: text(marks.pin),
    candidate: text(marks.candidate),
    verified: text(marks.verified),
    formerTraffic: parseJson(z.array(trafficSchema), annotations[marks.formerTraffic]) ?? null,
    owns: parseJson(ownsSchema, annotations[marks.owns]) ?? { env: [], secrets: [], labels: [] },
  };
}

/** A release that wrote to the service and never said how it ended. */
export function unfinishedRelease(found: Marks): string | null {
  return found.state === 'candidate' || found.state === 'migrating' ? found.release : null;
}

function parseJson<S extends z.ZodType>(schema: S, text: string | undefined): z.infer<S> | undefined {
  if (!text) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
