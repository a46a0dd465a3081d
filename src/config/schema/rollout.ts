import { duration, list, section, text, urlPath, whole } from './text.ts';

export const Rollout = section({
  steps: list(whole(1, 100)).describe('Percent of the traffic by step, ending in 100.').default([100]),
  bake: duration().describe('How long a step is watched before it counts.').prefault('10s'),
  answers: whole(1, 1000).describe('Answers in a row that must come from the right revision.').default(5),
  trafficDeadline: duration().describe('How long the traffic may take to move.').prefault('2m'),
  identity: section({
    path: urlPath().describe('The path that is asked.').default('/'),
    field: text('a dotted field such as revision')
      .describe('The JSON field that carries K_REVISION; without it the request log is asked.')
      .exactOptional(),
  })
    .describe('How the service tells which revision answers.')
    .prefault({}),
}).describe('How the traffic moves to the new revision.');
