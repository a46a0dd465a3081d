import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export type Trace = { traceId: string; spanId: string };

const cloudTrace = /^([0-9a-f]{32})(?:\/(\d{1,20}))?(?:;o=\d)?$/i;
const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/i;

/**
 * The trace that a request belongs to, begun here when it brings none, and the headers Cloud Run adds so that the
 * container sees it in both notations. Headers that came along stay as they are.
 */
export function traceRequest(headers: IncomingHttpHeaders): { trace: Trace; added: Record<string, string> } {
  const trace = incomingTrace(headers) ?? { traceId: newId(16), spanId: newId(8) };
  const { traceId, spanId } = trace;
  const added: Record<string, string> = {};
  if (!headers['x-cloud-trace-context']) {
    added['x-cloud-trace-context'] = `${traceId}/${BigInt(`0x${spanId}`)};o=1`;
  }
  if (!headers['traceparent']) added['traceparent'] = `00-${traceId}-${spanId}-01`;
  return { trace, added };
}

function incomingTrace(headers: IncomingHttpHeaders): Trace | undefined {
  const own = cloudTrace.exec(String(headers['x-cloud-trace-context'] ?? ''));
  if (own?.[1]) return { traceId: own[1].toLowerCase(), spanId: own[2] ? hexSpan(own[2]) : newId(8) };
  const standard = traceparent.exec(String(headers['traceparent'] ?? ''));
  if (standard?.[1] && standard[2]) {
    return { traceId: standard[1].toLowerCase(), spanId: standard[2].toLowerCase() };
  }
  return undefined;
}

function hexSpan(decimal: string): string {
  return BigInt.asUintN(64, BigInt(decimal)).toString(16).padStart(16, '0');
}

function newId(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
