import { z } from 'zod';
import { parseJson } from './parse-json.ts';

/** What a rollback leaves, so that no deploy undoes it unawares. `at` is RFC 3339. */
export const holdSchema = z.object({
  release: z.string(),
  reason: z.string(),
  who: z.string(),
  at: z.string(),
});
export type Hold = z.infer<typeof holdSchema>;

/** A hold that somebody wrote by hand holds too: its text is the reason. */
export function readHold(text: string | undefined): Hold | null {
  if (!text) return null;
  return parseJson(holdSchema, text) ?? { release: '', reason: text.slice(0, 500), who: '', at: '' };
}

/** `by anna@example.com since 2026-11-22T04:47:36Z (release …): the reason`. */
export function describeHold({ release, reason, who, at }: Hold): string {
  const origin = [who && `by ${who}`, at && `since ${at}`, release && `(release ${release})`];
  return `${origin.filter(Boolean).join(' ') || 'by hand'}: ${reason}`;
}
