import pLimit from 'p-limit';
import type { WebsocketCheck } from '../config/check-spec.ts';
import type { Secret } from '../secret.ts';
import type { CheckContext, CheckOutcome } from './context.ts';
import { nearestRank } from './percentile.ts';
import { errorText } from './text.ts';
import { distinct } from './websocket-components.ts';
import type { Door } from './websocket-conversation.ts';
import { credentialsOf, doorTo } from './websocket-door.ts';
import { type Tried, tryMessage } from './websocket-tries.ts';

const conversationsAtOnce = 4;
const healthMs = 3_000;

/** A matrix of messages, each on a connection of its own, so that one failure does not hide the others. */
export async function checkWebsocket(
  spec: WebsocketCheck,
  context: CheckContext,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const url = new URL(spec.path, context.url);
  if (url.origin !== new URL(context.url).origin)
    return { status: 'failed', reason: `${spec.path} leads away from ${context.url}` };
  const token = await tokenOf(spec, context);
  if (typeof token === 'string') return { status: 'inconclusive', reason: token };
  const door = await doorTo(url, spec, context, token);

  const slots = pLimit(conversationsAtOnce);
  const messages = spec.messages.length > 0 ? spec.messages : [null];
  const round = { spec, door, credentials: credentialsOf(spec, context), signal };
  const tries = await Promise.all(messages.map((message) => slots(() => tryMessage(message, round))));
  context.signal.throwIfAborted();

  const components = distinct(tries.flatMap((one) => one.components));
  const figures = figuresOf(tries);
  const found = {
    messages: tries.map(({ row }) => row),
    ...(components.length > 0 ? { components } : {}),
    ...(Object.keys(figures).length > 0 ? { figures } : {}),
  };
  const failures = tries.filter(({ problem }) => problem !== '');
  if (failures.length === 0) return { status: 'passed', reason: `${spec.path}: ${praise(tries)}`, ...found };
  const health = failures.some(({ refused }) => refused)
    ? await healthWords(spec, context, door, signal)
    : '';
  return {
    status: 'failed',
    reason: `${spec.path}: ${complaint(failures, tries.length)}${health}`,
    ...found,
  };
}

/** null: the check signs in with none; a text: why it cannot be read. */
async function tokenOf({ auth }: WebsocketCheck, context: CheckContext): Promise<Secret | string | null> {
  if (!auth) return null;
  try {
    return await context.token(auth.token);
  } catch (error) {
    context.signal.throwIfAborted();
    return `the token to sign in with is missing: ${errorText(error)}`;
  }
}

/** Of one measured message `p95Ms`; of several each by its name. */
function figuresOf(tries: readonly Tried[]): Record<string, number> {
  const all = tries.flatMap(({ row, latency }) => (latency ? [{ type: row.type, ...latency }] : []));
  return Object.fromEntries(
    all.flatMap(({ type, demand, samples }) => {
      const prefix = all.length > 1 ? `${type} ` : '';
      return [
        ...[...new Set([50, 95, demand.percentile])].map((p) => [
          `${prefix}p${p}Ms`,
          nearestRank(samples, p),
        ]),
        [`${prefix}maxMs`, Math.max(...samples)],
        [`${prefix}samples`, samples.length],
      ];
    }),
  );
}

function praise(tries: readonly Tried[]): string {
  if (tries.length > 1) {
    const slowest = Math.max(...tries.map(({ row }) => row.response.ms ?? 0));
    return `${tries.length} kinds of messages were answered as expected, the slowest in ${slowest} ms`;
  }
  const [only] = tries;
  if (!only || only.row.response.status === 'not-reached') return 'the handshake is accepted';
  const { row, latency } = only;
  if (row.seen.length === 0) return `${row.type} was answered with the close that is expected`;
  const what = `${row.type} brought its ${row.seen.length === 1 ? 'event' : `${row.seen.length} events`}`;
  return latency ? `${what}: ${row.response.detail}` : `${what} in ${row.response.ms} ms`;
}

/** Rows with the same problem are told together. */
function complaint(failures: readonly Tried[], of: number): string {
  const byProblem = Map.groupBy(failures, ({ problem }) => problem);
  const told = [...byProblem].map(([problem, alike]) => {
    if (alike.length === of)
      return of > 1 && !alike[0]?.refused ? `${problem} (all ${of} messages)` : problem;
    return `${alike.map(({ row }) => row.type).join(', ')}: ${problem}`;
  });
  return told.join('; ');
}

/** A refusal and a service that is down look alike from the handshake. */
async function healthWords(
  spec: WebsocketCheck,
  context: CheckContext,
  door: Door,
  signal: AbortSignal,
): Promise<string> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(healthMs)]);
  try {
    const url = new URL(spec.health, context.url);
    const answer = await fetch(url, { headers: door.headers, redirect: 'manual', signal: limit });
    await answer.body?.cancel();
    return `, while ${spec.health} answers ${answer.status}`;
  } catch {
    context.signal.throwIfAborted();
    return signal.aborted ? '' : `, and ${spec.health} does not answer`;
  }
}
