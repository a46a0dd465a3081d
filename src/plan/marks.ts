import { z } from 'zod';
import { type Hold, readHold } from './hold.ts';
import { parseJson } from './parse-json.ts';
import { type PlannedTraffic, trafficSchema } from './plan.ts';
import { type SchemaNote, schemaNoteSchema } from './schema-note.ts';

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
  /** Why the traffic stays where it is, until `sluice unpin`: a Hold. */
  hold: 'sluice.dev/hold',
  /** The release that lifted the last hold. */
  unpinned: 'sluice.dev/unpinned',
  /** The revision the `rollback` tag was last given to. */
  warmed: 'sluice.dev/warmed',
  /** Keys that Sluice set and may remove again. */
  owns: 'sluice.dev/owns',
  /** On a revision: hash of the source, and the image that was built from it, of which alone this is true. */
  source: 'sluice.dev/source',
  built: 'sluice.dev/built',
  /** On a revision: the database schema that it needs, as sluice.yaml says. */
  schema: 'sluice.dev/schema',
} as const;

export const candidateTag = 'candidate';
/** Wakes the revision of a rollback before it gets traffic. */
export const rollbackTag = 'rollback';

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
  hold: Hold | null;
  warmed: string | null;
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
    hold: readHold(annotations[marks.hold]),
    warmed: text(marks.warmed),
    owns: parseJson(ownsSchema, annotations[marks.owns]) ?? { env: [], secrets: [], labels: [] },
  };
}

/**
 * The keys that Sluice may remove: those of its newest candidate, and those that the serving revision got from it,
 * which a candidate that failed has no longer named.
 */
export function ownedKeys(live: Annotated | undefined, serving: Annotated | undefined): Owned {
  const [newest, served] = [live, serving].map((one) => readMarks(one?.annotations ?? {}).owns);
  const both = (group: keyof Owned) => [...new Set([...(newest?.[group] ?? []), ...(served?.[group] ?? [])])];
  return { env: both('env'), secrets: both('secrets'), labels: both('labels') };
}

type Annotated = { annotations: Record<string, string> };

/** A release that wrote to the service and never said how it ended. */
export function unfinishedRelease(found: Marks): string | null {
  return found.state === 'candidate' || found.state === 'migrating' ? found.release : null;
}

/** The note on a revision, from whatever machine it was deployed. */
export function schemaNoteOf(revision: Annotated | undefined): SchemaNote | null {
  return parseJson(schemaNoteSchema, revision?.annotations[marks.schema]) ?? null;
}
