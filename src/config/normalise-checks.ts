import type { CheckSpec, HttpCheck } from './check-spec.ts';
import { type Percentile, samplesFor } from './latency.ts';
import type { Service } from './schema/service.ts';

type Check = Service['checklist'][number];

/** The checks that concern an environment. */
export function checklistOf(checklist: readonly Check[], environment: string): CheckSpec[] {
  return checklist
    .filter(({ environments }) => environments === undefined || environments.includes(environment))
    .map(checkOf);
}

function checkOf(check: Check): CheckSpec {
  const { timeout, environments, ...rest } = check;
  if (rest.kind === 'startup' || rest.kind === 'command' || rest.kind === 'imports')
    return { ...rest, timeoutSeconds: timeout };
  if (rest.kind === 'suite') {
    const { command, junit, phases, ...suite } = rest;
    const only = { name: 'tests', command: command ?? [], ...(junit === undefined ? {} : { junit }) };
    return { ...suite, timeoutSeconds: timeout, phases: phases ?? [only] };
  }
  if (rest.kind === 'logs') {
    const { window, ...logs } = rest;
    return { ...logs, timeoutSeconds: timeout, windowSeconds: window };
  }
  return { ...rest, timeoutSeconds: timeout, expect: expectationOf(rest.expect) };
}

function expectationOf(expect: Extract<Check, { kind: 'http' }>['expect']): HttpCheck['expect'] {
  const { latency, headers, ...rest } = expect;
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    ...rest,
    headers: Object.fromEntries(lowered),
    ...(latency === undefined ? {} : { latency: latencyOf(latency) }),
  };
}

type TypedLatency = NonNullable<Extract<Check, { kind: 'http' }>['expect']['latency']>;

function latencyOf(latency: TypedLatency): NonNullable<HttpCheck['expect']['latency']> {
  const percentile = ([50, 90, 95, 99] as const).find((p) => latency[`p${p}`] !== undefined) ?? 95;
  const seconds: number = latency[`p${percentile}`] ?? 0;
  return {
    percentile,
    ms: seconds * 1000,
    samples: latency.samples ?? samplesFor(percentile satisfies Percentile),
  };
}
