import type { HttpCheck } from '../config/check-spec.ts';
import type { CheckContext, CheckOutcome } from './context.ts';
import { type Answer, unmet } from './http-expect.ts';
import { noAnswer } from './no-answer.ts';
import { nearestRank } from './percentile.ts';
import { requestHeaders } from './request-headers.ts';

const maxBodyBytes = 1024 * 1024;

/** An answer, or in plain words why there is none. */
type Ask = () => Promise<Answer | string>;

/** Asks once, then measures if latency is demanded. */
export async function checkHttp(
  spec: HttpCheck,
  context: CheckContext,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const request = `${spec.method} ${spec.path}`;
  const url = new URL(spec.path, context.url);
  if (url.origin !== new URL(context.url).origin)
    return { status: 'failed', final: true, reason: `${request} leads away from ${context.url}` };
  const ask = asker(spec, url, await requestHeaders(spec.headers, context), context.signal, signal);

  const answer = await ask();
  const problem = problemOf(answer, spec);
  if (typeof answer === 'string' || problem !== '')
    return { status: 'failed', reason: `${request}: ${problem}` };
  if (spec.expect.latency) return measure(spec, spec.expect.latency, ask);
  return {
    status: 'passed',
    reason: `${request} answered ${answer.status} as expected`,
    figures: { latencyMs: rounded(answer.ms) },
  };
}

/** Why an answer is not as expected; '' when it is. */
function problemOf(answer: Answer | string, spec: HttpCheck): string {
  return typeof answer === 'string' ? answer : unmet(answer, spec.expect).join('; ');
}

/** Every sample must be as expected too: a quick 500 is no good latency. What was measured is not measured away. */
async function measure(
  spec: HttpCheck,
  demand: NonNullable<HttpCheck['expect']['latency']>,
  ask: Ask,
): Promise<CheckOutcome> {
  const request = `${spec.method} ${spec.path}`;
  const samples: number[] = [];
  while (samples.length < demand.samples) {
    const answer = await ask();
    const problem = problemOf(answer, spec);
    if (typeof answer === 'string' || problem !== '')
      return {
        status: 'failed',
        final: true,
        reason: `${request}, sample ${samples.length + 1} of ${demand.samples}: ${problem}`,
      };
    samples.push(answer.ms);
  }
  const name = `p${demand.percentile}`;
  const measured = rounded(nearestRank(samples, demand.percentile));
  const figures = {
    p50Ms: rounded(nearestRank(samples, 50)),
    p95Ms: rounded(nearestRank(samples, 95)),
    [`${name}Ms`]: measured,
    maxMs: rounded(nearestRank(samples, 100)),
    samples: samples.length,
  };
  const found = `${measured} ms over ${samples.length} samples`;
  return measured <= demand.ms
    ? {
        status: 'passed',
        reason: `${request}: ${name} is ${found}, at most ${demand.ms} ms allowed`,
        figures,
      }
    : {
        status: 'failed',
        final: true,
        reason: `${request}: expected ${name} ≤ ${demand.ms} ms, found ${found}`,
        figures,
      };
}

function asker(
  spec: HttpCheck,
  url: URL,
  headers: Headers,
  interrupted: AbortSignal,
  signal: AbortSignal,
): Ask {
  return async () => {
    const start = performance.now();
    try {
      const response = await fetch(url, {
        method: spec.method,
        headers,
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(spec.timeoutSeconds * 1000)]),
        ...(spec.method === 'POST' && spec.body !== undefined ? { body: spec.body } : {}),
      });
      const { text, truncated } = await boundedText(response);
      const ms = performance.now() - start;
      return { status: response.status, headers: response.headers, body: text, truncated, ms };
    } catch (error) {
      interrupted.throwIfAborted();
      if (signal.aborted || (error instanceof Error && error.name === 'TimeoutError'))
        return `no complete answer within the check's ${spec.timeoutSeconds} s`;
      return noAnswer(error, url);
    }
  };
}

/** Leaving the loop early cancels the rest of the body. */
async function boundedText(response: Response): Promise<{ text: string; truncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBodyBytes) break;
  }
  const bytes = Buffer.concat(chunks).subarray(0, maxBodyBytes);
  return { text: bytes.toString('utf8'), truncated: size > maxBodyBytes };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
