import { z } from 'zod';
import { duration, section } from '../text.ts';
import { common, stages } from './common.ts';

export const StartupCheck = section({
  kind: z.literal('startup').describe('Budget, phases and systems of the startup profile.'),
  ...common,
  stages: stages().default(['candidate']),
  timeout: duration().describe('How long the check may take.').prefault('1m'),
}).describe('The startup profile: phases, systems, budgets.');
