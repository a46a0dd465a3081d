import { setTimeout as sleep } from 'node:timers/promises';
import type { LatencyDemand, MessageSpec, WebsocketCheck } from '../config/check-spec.ts';
import { nearestRank } from './percentile.ts';
import type { Component } from './websocket-components.ts';
import { type Conversation, converse, type Door } from './websocket-conversation.ts';
import { type Judged, judge } from './websocket-row.ts';

const firstBackoffMs = 250;
const maxBackoffMs = 4_000;
/** Going away, service restart, try again later: not this instance, not now. */
const passingCloses = [1001, 1012, 1013];

/** What all messages of one check share. */
export type Round = {
  spec: WebsocketCheck;
  door: Door;
  credentials: readonly string[];
  signal: AbortSignal;
};

/** A message's row, and what came with it. */
export type Tried = Judged & {
  components: Component[];
  refused: boolean;
  latency?: { demand: LatencyDemand; samples: number[] };
};

/** As often as its latency wants samples; the first answer that is not as expected ends it. */
export async function tryMessage(message: MessageSpec | null, round: Round): Promise<Tried> {
  const demand = message?.latency;
  const samples: number[] = [];
  for (;;) {
    const { talk, attempts } = await connectAndTalk(message, round);
    const judged = judge(message, talk, round.credentials);
    if (judged.problem !== '' && attempts > 1) judged.problem += ` (${attempts} attempts)`;
    const tried = { ...judged, components: talk.told.components, refused: talk.handshake.kind === 'refused' };
    samples.push(judged.row.response.ms ?? 0);
    if (judged.problem !== '' && samples.length > 1)
      return { ...tried, problem: `${judged.problem} (sample ${samples.length} of ${demand?.samples})` };
    if (!demand || judged.problem !== '') return tried;
    if (samples.length >= demand.samples)
      return { ...measured(tried, demand, samples), latency: { demand, samples } };
  }
}

/** Tries again while no conversation comes about; what was sent and heard is not sent again. */
async function connectAndTalk(
  message: MessageSpec | null,
  round: Round,
): Promise<{ talk: Conversation; attempts: number }> {
  const { spec, door, signal } = round;
  for (let attempts = 1; ; attempts += 1) {
    const talk = await converse(door, message, signal);
    const { handshake, told, end } = talk;
    const turnedAway = end.kind === 'closed' && passingCloses.includes(end.code) && told.heard.length === 0;
    const done = (handshake.kind === 'accepted' && !turnedAway) || attempts >= spec.connectAttempts;
    if (done || signal.aborted) return { talk, attempts };
    const backoff = Math.min(firstBackoffMs * 2 ** (attempts - 1), maxBackoffMs);
    await sleep(backoff, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return { talk, attempts };
  }
}

function measured<T extends Judged>(tried: T, demand: LatencyDemand, samples: readonly number[]): T {
  const ms = nearestRank(samples, demand.percentile);
  const detail = `p${demand.percentile} is ${ms} ms over ${samples.length} samples`;
  const limit = `at most ${demand.ms} ms allowed`;
  const ok = ms <= demand.ms;
  const response = {
    status: ok ? ('passed' as const) : ('failed' as const),
    ms,
    detail: `${detail}, ${limit}`,
  };
  const problem = ok ? '' : `connection, auth and processing passed, response too slow: ${detail}, ${limit}`;
  return { ...tried, row: { ...tried.row, response }, problem };
}
