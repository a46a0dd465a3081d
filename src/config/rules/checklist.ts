import { RE2JS } from 're2js';
import { samplesFor } from '../latency.ts';
import { fault, type Rule, whyNot } from './rule.ts';

export const uniqueCheckIds: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) =>
    checklist.findIndex((other) => other.id === check.id) < index
      ? [fault(['checklist', index, 'id'], `two checks are called "${check.id}"`)]
      : [],
  );

export const checksHaveAStage: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) =>
    check.stages.length === 0
      ? [
          fault(['checklist', index, 'stages'], `the check "${check.id}" never runs`, {
            allowed: 'candidate, post',
          }),
        ]
      : [],
  );

/** Only a path: a whole address would leave the service that is checked. */
export const checkPathsAbsolute: Rule = ({ config: { checklist, rollout } }) => {
  const paths: [string, (string | number)[]][] = [
    [rollout.identity.path, ['rollout', 'identity', 'path']],
    ...checklist.flatMap((check, index): [string, (string | number)[]][] =>
      'path' in check ? [[check.path, ['checklist', index, 'path']]] : [],
    ),
    ...checklist.flatMap((check, index): [string, (string | number)[]][] =>
      check.kind === 'websocket' ? [[check.health, ['checklist', index, 'health']]] : [],
    ),
  ];
  return paths.flatMap(([typed, path]) =>
    /^\/(?![/\\])[^\s#\\]*$/.test(typed)
      ? []
      : [
          fault(path, 'no path of the service', {
            found: `"${typed}"`,
            allowed: 'a path that begins with one /',
          }),
        ],
  );
};

export const latencyHasOnePercentile: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) => {
    if (check.kind === 'http')
      return latencyFaults(check.expect.latency, ['checklist', index, 'expect', 'latency']);
    if (check.kind !== 'websocket') return [];
    return check.messages.flatMap(({ latency }, at) =>
      latencyFaults(latency, ['checklist', index, 'messages', at, 'latency']),
    );
  });

type TypedLatency = { samples?: number } & Partial<Record<'p50' | 'p90' | 'p95' | 'p99', number>>;

function latencyFaults(latency: TypedLatency | undefined, path: (string | number)[]) {
  if (latency === undefined) return [];
  const percentiles = ([50, 90, 95, 99] as const).filter((p) => latency[`p${p}`] !== undefined);
  const [percentile] = percentiles;
  if (percentile === undefined || percentiles.length > 1)
    return [
      fault(path, 'a latency is one percentile', { part: 'key', allowed: 'one of p50, p90, p95, p99' }),
    ];
  const least = samplesFor(percentile);
  return latency.samples !== undefined && latency.samples < least
    ? [
        fault([...path, 'samples'], `too few samples to tell p${percentile}`, {
          found: String(latency.samples),
          allowed: `at least ${least}`,
        }),
      ]
    : [];
}

export const logChecksLookForSomething: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) =>
    check.kind === 'logs' &&
    check.absent.length + check.present.length === 0 &&
    check.maxSeverity === undefined &&
    !check.regressions
      ? [
          fault(['checklist', index], `the check "${check.id}" looks for nothing`, {
            allowed: 'absent, present, maxSeverity or regressions',
          }),
        ]
      : [],
  );

/** Each of these characters means itself: most patterns need no RE2, which takes some milliseconds to set up. */
const plainPattern = /^(?:\(\?i\))?[\w -]*$/;

export const logPatternsCompile: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) =>
    check.kind !== 'logs'
      ? []
      : (['absent', 'present'] as const).flatMap((list) =>
          check[list].flatMap((pattern, at) => {
            const reason = plainPattern.test(pattern) ? undefined : whyNot(() => RE2JS.compile(pattern));
            return reason === undefined
              ? []
              : [fault(['checklist', index, list, at], reason, { allowed: 'a RE2 pattern' })];
          }),
        ),
  );
