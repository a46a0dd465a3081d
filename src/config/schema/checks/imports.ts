import { z } from 'zod';
import { duration, list, oneOf, section, text } from '../text.ts';
import { common, stages } from './common.ts';
import { argv, program } from './program.ts';

export const ImportsCheck = section({
  kind: z.literal('imports').describe('Every module that the source imports must be there.'),
  ...common,
  stages: stages().default(['predeploy']),
  timeout: duration().describe('How long it may take.').prefault('2m'),
  language: oneOf(['node', 'python']).describe(
    'node: resolves every static import of JavaScript and TypeScript. python: compiles and imports every module.',
  ),
  ...program,
  packages: list(text('a package or module'))
    .describe('python: the packages and modules to import.')
    .default([]),
  python: argv().describe('python: the interpreter.').prefault(['python3']),
  ignore: list(text('a pattern as in .gitignore'))
    .describe('Files that are not looked at, and imports of them that are not judged, as in .gitignore.')
    .default([]),
}).describe('Every import of the source resolves; before any build.');
