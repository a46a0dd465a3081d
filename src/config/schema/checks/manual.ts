import { z } from 'zod';
import { duration, list, oneOf, section, text } from '../text.ts';
import { common } from './common.ts';

export const ManualCheck = section({
  kind: z.literal('manual').describe('A question that a person answers: `sluice sign`.'),
  ...common,
  stages: list(oneOf(['candidate', 'post']))
    .describe('When it is asked.')
    .default(['post']),
  timeout: duration().describe('How long reading the answers may take.').prefault('1m'),
  question: text('a question, such as "Does the chat answer in French?"').describe(
    'What a person looks at and answers, for each revision anew.',
  ),
}).describe('A question that a person answers for the revision that serves.');
