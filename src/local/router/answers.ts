import { STATUS_CODES } from 'node:http';
import { AcquireError } from '../runtime/errors.ts';

/** What Cloud Run itself answers when no container does: to the client, and in the request log. */
export type Answer = {
  status: number;
  contentType: string;
  body: string;
  logged?: string;
  headers?: Record<string, string>;
};

const troubleshooting =
  'Additional troubleshooting documentation can be found at: https://cloud.google.com/run/docs/troubleshooting';

export const notAuthenticated = (url: string): Answer => ({
  status: 403,
  contentType: 'text/html; charset=UTF-8',
  body: page(
    '403 Forbidden',
    'Error: Forbidden',
    `Your client does not have permission to get URL <code>${escapeHtml(url)}</code> from this server.`,
  ),
  logged:
    'The request was not authenticated. Either allow unauthenticated invocations or set the proper Authorization ' +
    `header. Read more at https://cloud.google.com/run/docs/securing/authenticating ${troubleshooting}#unauthorized-client`,
});

/** For a token that is malformed, expired, meant for another service, or not this local cloud's. */
export const notVerified = (url: string): Answer => ({
  status: 401,
  contentType: 'text/html; charset=UTF-8',
  headers: {
    'www-authenticate':
      'Bearer error="invalid_token" error_description="The access token could not be verified"',
  },
  body: page(
    '401 Unauthorized',
    'Error: Unauthorized',
    `Your client does not have permission to the requested URL <code>${escapeHtml(url)}</code>.`,
  ),
  logged:
    'The request was not authorized to invoke this service. The access token could not be verified. Read more at ' +
    `https://cloud.google.com/run/docs/securing/authenticating ${troubleshooting}#401`,
});

export const notFound: Answer = {
  status: 404,
  contentType: 'text/html; charset=UTF-8',
  body: page(
    '404 Page not found',
    'Error: Page not found',
    'The requested URL was not found on this server.',
  ),
};

const noInstance: Answer = {
  status: 429,
  contentType: 'text/plain',
  body: 'Rate exceeded.',
  logged: `The request was aborted because there was no available instance. ${troubleshooting}#abort-request`,
};

const notStarted: Answer = {
  status: 503,
  contentType: 'text/plain',
  body: 'Service Unavailable',
  logged: 'The request failed because the instance failed the readiness check.',
};

export const brokenConnection: Answer = {
  ...notStarted,
  logged:
    'The request failed because either the HTTP response was malformed or connection to the instance had an error. ' +
    `${troubleshooting}#malformed-response-or-connection-error`,
};

export const timedOut: Answer = {
  status: 504,
  contentType: 'text/plain',
  body: 'upstream request timeout',
  logged:
    'The request has been terminated because it has reached the maximum request timeout. To change this limit, see ' +
    'https://cloud.google.com/run/docs/configuring/request-timeout',
};

/** Logged for an answer that broke off after its head was sent. */
export const truncated =
  'Truncated response body. Usually implies that the request timed out or the application exited before the response was finished.';

export function answerFor(error: unknown): Answer {
  if (!(error instanceof AcquireError)) return brokenConnection;
  return { 'unknown-revision': notFound, 'not-started': notStarted, 'no-capacity': noInstance }[error.reason];
}

/** An answer in the words of HTTP/1.1, for a socket that asked for an upgrade. */
export function rawAnswer({ status, contentType, body, headers = {} }: Answer): string {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-type: ${contentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

function page(title: string, heading: string, sentence: string): string {
  return `\n<html><head>\n<meta http-equiv="content-type" content="text/html;charset=utf-8">\n<title>${title}</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>${heading}</h1>\n<h2>${sentence}</h2>\n<h2></h2>\n</body></html>\n`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
