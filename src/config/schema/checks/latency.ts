import { duration, section, whole } from '../text.ts';

export const Latency = section({
  p50: duration().describe('The median may take this long.').exactOptional(),
  p90: duration().describe('90 % of the answers may take this long.').exactOptional(),
  p95: duration().describe('95 % of the answers may take this long.').exactOptional(),
  p99: duration().describe('99 % of the answers may take this long.').exactOptional(),
  samples: whole(1, 10_000)
    .describe('Answers to measure; by default as many as the percentile needs.')
    .exactOptional(),
}).describe('One percentile of the latency, over samples.');
