import type { CheckSpec, HttpCheck, LatencyDemand, MessageSpec, TokenRef } from './check-spec.ts';
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
  if (rest.kind === 'startup' || rest.kind === 'manual' || rest.kind === 'command' || rest.kind === 'imports')
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
  if (rest.kind === 'websocket') {
    const { handshake, messages, auth, attempts, ...websocket } = rest;
    return {
      ...websocket,
      ...(auth === undefined ? {} : { auth: { ...auth, token: tokenOf(auth.token) } }),
      timeoutSeconds: timeout,
      handshakeSeconds: handshake,
      connectAttempts: attempts,
      messages: messages.map(messageOf),
    };
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

type TypedAuth = NonNullable<Extract<Check, { kind: 'websocket' }>['auth']>;

/** The rules have seen to it that there is one source. */
function tokenOf({ variable, secret = '', version = 'latest' }: TypedAuth['token']): TokenRef {
  return variable === undefined ? { secret, version } : { variable };
}

function messageOf(message: Extract<Check, { kind: 'websocket' }>['messages'][number]): MessageSpec {
  const { deadline, send = { type: message.type }, latency, ...rest } = message;
  return {
    ...rest,
    send: typeof send === 'string' ? send : JSON.stringify(send),
    deadlineSeconds: deadline,
    ...(latency === undefined ? {} : { latency: latencyOf(latency) }),
  };
}

type TypedLatency = NonNullable<Extract<Check, { kind: 'http' }>['expect']['latency']>;

function latencyOf(latency: TypedLatency): LatencyDemand {
  const percentile = ([50, 90, 95, 99] as const).find((p) => latency[`p${p}`] !== undefined) ?? 95;
  const seconds: number = latency[`p${percentile}`] ?? 0;
  return {
    percentile,
    ms: seconds * 1000,
    samples: latency.samples ?? samplesFor(percentile satisfies Percentile),
  };
}
