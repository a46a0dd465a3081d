import { z } from 'zod';
import { duration, flag, list, map, matching, oneOf, section, text, urlPath, whole } from './text.ts';

const common = {
  id: matching(/^[a-z0-9][a-z0-9._-]{0,62}$/i, 'letters, digits, ., _ and -').describe(
    'The name of the check in reports.',
  ),
  required: flag().describe('false: a failure is reported and stops nothing.').default(true),
};

const stages = () =>
  list(oneOf(['candidate', 'post'])).describe(
    'candidate: before traffic, on its own URL; post: after, on the URL of the service.',
  );

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'text, a number, true, false or null',
});

const Latency = section({
  p50: duration().describe('The median may take this long.').exactOptional(),
  p90: duration().describe('90 % of the answers may take this long.').exactOptional(),
  p95: duration().describe('95 % of the answers may take this long.').exactOptional(),
  p99: duration().describe('99 % of the answers may take this long.').exactOptional(),
  samples: whole(1, 10_000)
    .describe('Requests to measure; by default as many as the percentile needs.')
    .exactOptional(),
}).describe('One percentile of the latency, over samples.');

const status = whole(100, 599);

const HttpCheck = section({
  kind: z.literal('http').describe('One request and what must come back.'),
  ...common,
  stages: stages().default(['candidate', 'post']),
  timeout: duration().describe('How long one answer may take.').prefault('10s'),
  method: oneOf(['GET', 'HEAD', 'POST']).describe('The method.').default('GET'),
  path: urlPath().describe('The path, beginning with /.'),
  headers: map(z.string(), text('text: put it in quotes')).describe('Headers to send.').default({}),
  body: text().describe('A body to send.').exactOptional(),
  attempts: whole(1, 20).describe('Tries, with backoff, before a failure counts.').default(3),
  expect: section({
    status: z
      .union([status, list(status)], { error: 'a status such as 200, or a list of them' })
      .transform((typed) => (typeof typed === 'number' ? [typed] : typed))
      .describe('The status, or a list of allowed ones.')
      .prefault(200),
    json: map(z.string(), scalar)
      .describe('Dotted field of the JSON body → the value it must have.')
      .default({}),
    headers: map(z.string(), text()).describe('Header → text it must contain.').default({}),
    latency: Latency.exactOptional(),
  })
    .describe('What must come back.')
    .prefault({}),
}).describe('A request and what must come back.');

const StartupCheck = section({
  kind: z.literal('startup').describe('Budget, phases and systems of the startup profile.'),
  ...common,
  stages: stages().default(['candidate']),
  timeout: duration().describe('How long the check may take.').prefault('1m'),
}).describe('The startup profile: phases, systems, budgets.');

const LogsCheck = section({
  kind: z.literal('logs').describe('What the log may and must hold.'),
  ...common,
  stages: stages().default(['candidate', 'post']),
  timeout: duration().describe('How long the check may take beyond its window.').prefault('1m'),
  absent: list(text('a RE2 pattern')).describe('Patterns (RE2) that no entry may match.').default([]),
  present: list(text('a RE2 pattern')).describe('Patterns (RE2) that some entry must match.').default([]),
  maxSeverity: oneOf(['WARNING', 'ERROR', 'CRITICAL'])
    .describe('Entries of this severity or above fail the check.')
    .exactOptional(),
  window: duration().describe("How long the log is watched after the stage's start.").prefault('5s'),
}).describe('Patterns that must be absent from, or present in, the log.');

const Check = z.discriminatedUnion('kind', [HttpCheck, StartupCheck, LogsCheck], {
  error: 'http, startup, logs',
});

export const Checklist = list(Check).describe('What must hold before and after the traffic moves.');
