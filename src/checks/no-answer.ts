import { errorText } from './text.ts';

const refusals: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ECONNRESET: 'the connection was reset before an answer',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be resolved',
  UND_ERR_SOCKET: 'the connection was closed before an answer',
};

/** Why a host gave no answer, in plain words. */
export function noAnswer(error: unknown, url: URL): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return `no answer from ${url.host}: ${refusals[code] ?? errorText(cause)}`;
}
