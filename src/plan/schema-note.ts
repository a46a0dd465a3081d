import { z } from 'zod';

/** What a release says of the database schema that it needs. */
export const schemaNoteSchema = z.object({
  version: z.string(),
  /** What the change does: `drops users.name`. */
  note: z.string().exactOptional(),
  /** false: what ran before does not work with this schema. */
  backwardsCompatible: z.boolean().exactOptional(),
});
export type SchemaNote = z.infer<typeof schemaNoteSchema>;

/** A note and when the revision that carries it was made (RFC 3339). */
export type DatedNote = { at: string; schema: SchemaNote | null };

/**
 * Schema changes after the target, up to what serves now, that do not work with what ran before: going back
 * behind one of them may break. One of a version; oldest first.
 */
export function schemaRisks(target: DatedNote, current: DatedNote, all: readonly DatedNote[]): SchemaNote[] {
  const between = [...all, current]
    .filter(({ at }) => Date.parse(at) > Date.parse(target.at) && Date.parse(at) <= Date.parse(current.at))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const risks = between.flatMap(({ schema }) =>
    schema?.backwardsCompatible === false && schema.version !== target.schema?.version ? [schema] : [],
  );
  return [...new Map(risks.map((schema) => [schema.version, schema])).values()];
}

export function describeSchema({ version, note }: SchemaNote): string {
  return note ? `${version} (${note})` : version;
}
