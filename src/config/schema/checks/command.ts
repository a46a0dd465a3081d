import { z } from 'zod';
import { duration, list, section, text, whole } from '../text.ts';
import { common, stages } from './common.ts';
import { argv, program } from './program.ts';

const exitCode = whole(0, 255);

export const CommandCheck = section({
  kind: z.literal('command').describe('Any program: its exit code and what it prints.'),
  ...common,
  stages: stages().default(['candidate']),
  timeout: duration()
    .describe('How long it may run; then it is killed, with all that it started.')
    .prefault('1m'),
  command: argv().describe(
    'The program and its arguments, without a shell. {url} stands for the address under check.',
  ),
  ...program,
  exitCode: z
    .union([exitCode, list(exitCode)], { error: 'an exit code such as 0, or a list of them' })
    .transform((typed) => (typeof typed === 'number' ? [typed] : typed))
    .describe('The exit code, or a list of allowed ones.')
    .prefault(0),
  output: section({
    present: list(text('a RE2 pattern'))
      .describe('Patterns (RE2) that must match what it prints.')
      .default([]),
    absent: list(text('a RE2 pattern')).describe('Patterns (RE2) that must not match it.').default([]),
  })
    .describe('What it must and must not print, on stdout and stderr together.')
    .prefault({}),
}).describe('A program: its exit code and what it prints.');
