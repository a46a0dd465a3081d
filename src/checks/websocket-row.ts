import type { MessageSpec } from '../config/check-spec.ts';
import type { CheckResult } from './result.ts';
import type { Conversation, End, Handshake } from './websocket-conversation.ts';
import { type Score, scoreEvents } from './websocket-events.ts';

type MessageRow = NonNullable<CheckResult['messages']>[number];
type Step = MessageRow['connection'];

/** A row of the matrix, and in words what is wrong with it; '' when nothing is. */
export type Judged = { row: MessageRow; problem: string };

/** What is judged: the message (null: the handshake alone) and what came of it. */
type Case = {
  message: MessageSpec | null;
  talk: Conversation;
  score: Score;
  /** What the check signed in with, in words. */
  credentials: readonly string[];
};

const maxNames = 20;
const handshakeOnly = '(handshake)';
/** Closed for lack of a valid sign-in: policy, and the codes that IANA and common use give to 401 and 403. */
const authCloses = [1008, 3000, 3003, 4401, 4403];
const internalError = 1011;
const noCode = 1005;

/** Reads one conversation as connection / auth / processing / response. Pure. */
export function judge(
  message: MessageSpec | null,
  talk: Conversation,
  credentials: readonly string[],
): Judged {
  const score = scoreEvents(message?.events ?? [], talk.told.heard);
  const one: Case = { message, talk, score, credentials };
  const connection = connectionStep(talk.handshake);
  const auth = authStep(one);
  const reached = auth.status === 'passed';
  const processing = reached ? processingStep(one) : notReached;
  const response = reached ? responseStep(one, processing) : notReached;
  const row = {
    type: message?.type ?? handshakeOnly,
    connection,
    auth,
    processing,
    response,
    seen: bounded(score.seen.map(({ name }) => name)),
    missing: reached ? bounded(score.missing) : [],
    unexpected: bounded(score.others),
  };
  return { row, problem: problemOf(row, one) };
}

const notReached: Step = { status: 'not-reached', ms: null, detail: '' };
const nothingSent: Step = { ...notReached, detail: 'nothing was sent' };
const passed = (ms: number | null, detail = ''): Step => ({ status: 'passed', ms, detail });
const failed = (ms: number | null, detail: string): Step => ({ status: 'failed', ms, detail });
/** The row names them all. */
function listed(names: readonly string[]): string {
  return names.length > 3 ? `${names[0]} … ${names.at(-1)} (${names.length})` : names.join(', ');
}

const bounded = (names: readonly string[]) => names.slice(0, maxNames);

function connectionStep(handshake: Handshake): Step {
  if (handshake.kind === 'accepted') return passed(handshake.ms);
  if (handshake.kind === 'failed') return failed(handshake.ms, handshake.why);
  // The service was reached and said no: that is the business of auth.
  return deniesAuth(handshake)
    ? passed(handshake.ms, 'the service answered')
    : failed(handshake.ms, statusOf(handshake));
}

function authStep(one: Case): Step {
  const { handshake } = one.talk;
  if (handshake.kind === 'refused' && deniesAuth(handshake)) return failed(null, statusOf(handshake));
  if (handshake.kind !== 'accepted') return notReached;
  if (closedForAuth(one)) return failed(null, endWords(one));
  return passed(
    null,
    one.credentials.length > 0
      ? `the handshake was accepted with ${one.credentials.join(', ')}`
      : 'no credentials were sent, so the handshake tells nothing of auth',
  );
}

function processingStep(one: Case): Step {
  const { message, talk, score } = one;
  const { error } = talk.told;
  if (error) return failed(null, `${error.code} ${error.component}`.trim());
  const complete = score.missing.length === 0;
  if (closedWith(talk.end, internalError) && !(complete && expectsClose(one)))
    return failed(null, endWords(one));
  if (!message) return talk.end.kind === 'broken' ? failed(null, talk.end.why) : nothingSent;
  const [first] = score.seen;
  if (first) return passed(first.ms);
  return message.events.length === 0 && talk.end.kind === 'closed'
    ? passed(null)
    : failed(null, endWords(one));
}

function responseStep(one: Case, processing: Step): Step {
  const { message, score } = one;
  if (!message) return nothingSent;
  const part = `${score.seen.length} of ${message.events.length} events`;
  if (processing.status === 'failed') {
    if (score.seen.length > 0) return failed(null, part);
    return { ...notReached, detail: bounded(score.others).join(', ') || 'no response' };
  }
  if (score.missing.length > 0) return failed(null, part);
  if (score.disorder) return failed(null, 'out of order');
  if (!message.others && score.others.length > 0) return failed(null, 'other events came');
  if (closeProblem(one)) return failed(null, closeProblem(one));
  return passed(score.seen.at(-1)?.ms ?? null);
}

function sentWords(credentials: readonly string[]): string {
  return `${credentials.join(' and ')} ${credentials.length === 1 ? 'was' : 'were'}`;
}

/** The one sentence about a row, from the first step that failed. */
function problemOf(
  { connection, auth, processing, response, missing, unexpected }: MessageRow,
  one: Case,
): string {
  const { handshake } = one.talk;
  if (handshake.kind === 'refused') {
    const body = handshake.body ? ` ("${handshake.body}")` : '';
    const though =
      deniesAuth(handshake) && one.credentials.length > 0 ? ` though ${sentWords(one.credentials)} sent` : '';
    return `the handshake is refused: ${statusOf(handshake)}${body}${though}`;
  }
  if (connection.status === 'failed') return `no connection: ${connection.detail}`;
  if (auth.status === 'failed') return `connection passed, auth failed: ${auth.detail}`;
  const absent = missing.length > 0 ? [`missing ${listed(missing)}`] : [];
  const before = 'connection and auth passed';
  if (processing.status === 'failed') {
    const said = one.talk.told.error?.message;
    return [`${before}, processing failed: ${processing.detail}${said ? ` (${said})` : ''}`, ...absent].join(
      '; ',
    );
  }
  if (response.status !== 'failed') return '';
  const wrong = [
    ...absent,
    ...(one.score.disorder ? [`out of order: ${one.score.disorder}`] : []),
    ...(one.message?.others === false && unexpected.length > 0
      ? [`unexpected ${unexpected.join(', ')}`]
      : []),
    ...(missing.length > 0 ? [endWords(one)] : [closeProblem(one)]),
  ].filter(Boolean);
  return `${before}, response failed: ${wrong.join('; ')}`;
}

/** How a conversation ended that should have gone on. */
function endWords({ message, score, talk: { end } }: Case): string {
  switch (end.kind) {
    case 'complete':
      return '';
    case 'closed':
      return closeWords(end);
    case 'deadline':
      return `${score.seen.length > 0 ? 'not complete' : 'nothing expected came'} within ${message?.deadlineSeconds} s`;
    case 'broken':
      return end.why;
    case 'stopped':
      return 'the time of the check was over';
  }
}

function closeWords({ code, reason }: { code: number; reason: string }): string {
  if (code === noCode) return 'closed without a code';
  return reason ? `closed ${code}: ${reason}` : `closed ${code}`;
}

function closeProblem({ message, talk: { end } }: Case): string {
  const { code, reason } = message?.close ?? {};
  if (code === undefined && reason === undefined) return '';
  if (end.kind !== 'closed') return 'not closed by the service';
  const wrongCode = code !== undefined && end.code !== code;
  const wrongReason = reason !== undefined && !end.reason.includes(reason);
  if (!wrongCode && !wrongReason) return '';
  return `${closeWords(end)}, expected ${[code, reason].filter((part) => part !== undefined).join(': ')}`;
}

const expectsClose = (one: Case) => one.message?.close !== undefined && closeProblem(one) === '';

function closedForAuth(one: Case): boolean {
  const { end } = one.talk;
  return (
    end.kind === 'closed' &&
    authCloses.includes(end.code) &&
    one.score.seen.length === 0 &&
    !expectsClose(one)
  );
}

const closedWith = (end: End, code: number) => end.kind === 'closed' && end.code === code;
const deniesAuth = ({ status }: { status: number }) => status === 401 || status === 403;
const statusOf = ({ status, words }: { status: number; words: string }) => `${status} ${words}`.trim();
