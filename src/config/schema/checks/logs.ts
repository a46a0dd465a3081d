import { z } from 'zod';
import { duration, flag, list, oneOf, section, text } from '../text.ts';
import { common, stages } from './common.ts';

export const LogsCheck = section({
  kind: z.literal('logs').describe('What the log may and must hold.'),
  ...common,
  stages: stages().default(['candidate', 'post']),
  timeout: duration().describe('How long the check may take beyond its window.').prefault('1m'),
  absent: list(text('a RE2 pattern')).describe('Patterns (RE2) that no entry may match.').default([]),
  present: list(text('a RE2 pattern')).describe('Patterns (RE2) that some entry must match.').default([]),
  maxSeverity: oneOf(['WARNING', 'ERROR', 'CRITICAL'])
    .describe('Entries of this severity or above fail the check.')
    .exactOptional(),
  regressions: flag()
    .describe('true: an error that the revision that served before did not log fails the check.')
    .default(false),
  window: duration()
    .describe("How long the log is watched after the stage's start; what it held before counts too.")
    .prefault('5s'),
}).describe('Patterns that must be absent from, or present in, the log.');
