import { z } from 'zod';
import { duration, list, matching, section, text } from '../text.ts';
import { common, stages } from './common.ts';
import { argv, program } from './program.ts';

/** `5%` → 0.05. */
const share = () =>
  matching(/^(100|\d{1,2}(\.\d{1,2})?) ?%$/, 'a share such as 5%').transform(
    (typed) => Number.parseFloat(typed) / 100,
  );

const command = () =>
  argv().describe(
    'The test runner and its arguments, without a shell. {junit} stands for a path where its JUnit XML is awaited, {url} for the address under check.',
  );
const junit = () =>
  text('a path').describe(
    'Where the runner writes its JUnit XML, relative to `dir`; by default the path that {junit} gives.',
  );

const Phase = section({
  name: matching(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,40}$/, 'a name such as P0').describe('Its name in reports.'),
  command: command(),
  junit: junit().exactOptional(),
});

export const SuiteCheck = section({
  kind: z.literal('suite').describe('A test suite, held to its JUnit XML and to the requests that it makes.'),
  ...common,
  stages: stages().default(['candidate']),
  timeout: duration().describe('How long all phases together may take.').prefault('15m'),
  command: command().exactOptional(),
  junit: junit().exactOptional(),
  phases: list(Phase)
    .describe('Instead of `command`: phases in order. A failed one stops those after it.')
    .exactOptional(),
  ...program,
  latency: section({
    p50: duration().describe('Half of the tests may take this long.').exactOptional(),
    p95: duration().describe('95 % of the tests may take this long.').exactOptional(),
  })
    .describe('How long tests may take: nearest-rank percentiles of their durations.')
    .prefault({}),
  tolerance: share().describe('The share of failing tests that a phase is allowed.').prefault('0%'),
}).describe('A test suite: phases, JUnit XML, latency, and proof that it reached the service.');
