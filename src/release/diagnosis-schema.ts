import { z } from 'zod';

/** What a person needs when a service was not released. Apart, so that who shows it sets up no other event. */
export const diagnosisSchema = z.object({
  cause: z.string(),
  why: z.string(),
  hint: z.string(),
  evidence: z.array(z.string()),
  notDone: z.array(z.string()),
  next: z.array(z.string()),
});
