import { describe, expect, test } from 'vitest';
import { endedHere, toCloudError } from '../../src/cloud/errors.ts';
import { CloudError, type CloudErrorKind } from '../../src/cloud/ports/index.ts';

const read = { method: 'run.services.get', resource: 'services/chat', write: false };
const write = { method: 'run.services.update', resource: 'services/chat', write: true };

function grpc(code: number, details: string, more: object = {}): Error {
  return Object.assign(new Error(`${code} NAME: ${details}`), { code, details, ...more });
}

function http(code: number | string, message = 'no'): Error {
  return Object.assign(new Error(message), { code });
}

const refused = 'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1';
const expired = 'Getting metadata from plugin failed with error: invalid_grant reauth related error';

test.for<[string, Error, CloudErrorKind, CloudErrorKind]>([
  ['NOT_FOUND', grpc(5, 'not found'), 'not-found', 'not-found'],
  ['ALREADY_EXISTS', grpc(6, 'there'), 'already-exists', 'already-exists'],
  ['ABORTED', grpc(10, "Conflict for resource 'chat'"), 'conflict', 'conflict'],
  ['FAILED_PRECONDITION', grpc(9, 'not now'), 'precondition', 'precondition'],
  ['RESOURCE_EXHAUSTED', grpc(8, 'quota'), 'exhausted', 'exhausted'],
  ['INVALID_ARGUMENT', grpc(3, 'bad'), 'invalid', 'invalid'],
  ['PERMISSION_DENIED', grpc(7, 'denied'), 'forbidden', 'forbidden'],
  ['UNIMPLEMENTED', grpc(12, 'no'), 'unsupported', 'unsupported'],
  ['UNAUTHENTICATED', grpc(16, 'who'), 'unauthenticated', 'unauthenticated'],
  ['expired credentials', grpc(2, expired), 'unauthenticated', 'unauthenticated'],
  [
    'no credentials',
    new Error('Could not load the default credentials.'),
    'unauthenticated',
    'unauthenticated',
  ],
  ['UNAVAILABLE', grpc(14, 'Connection dropped'), 'unavailable', 'outcome-unknown'],
  ['UNAVAILABLE before sending', grpc(14, refused), 'unavailable', 'unavailable'],
  ['DEADLINE_EXCEEDED', grpc(4, 'late'), 'deadline', 'outcome-unknown'],
  ['CANCELLED by the server', grpc(1, 'cancelled'), 'unavailable', 'outcome-unknown'],
  ['INTERNAL', grpc(13, 'RST_STREAM'), 'internal', 'outcome-unknown'],
  ['HTTP 404', http(404), 'not-found', 'not-found'],
  ['HTTP 403 as text', http('403'), 'forbidden', 'forbidden'],
  ['HTTP 409', http(409), 'conflict', 'conflict'],
  ['HTTP 503', http(503), 'unavailable', 'outcome-unknown'],
  ['a refused socket', http('ECONNREFUSED', 'connect ECONNREFUSED'), 'unavailable', 'unavailable'],
  ['a reset socket', http('ECONNRESET', 'read ECONNRESET'), 'unavailable', 'outcome-unknown'],
  ['an unknown code', grpc(77, 'what'), 'internal', 'outcome-unknown'],
])('%s', ([, error, whenRead, whenWritten]) => {
  expect(toCloudError(error, read).kind).toBe(whenRead);
  expect(toCloudError(error, write).kind).toBe(whenWritten);
});

describe('what was said', () => {
  test('is the sentence of the API, with the fields it names', () => {
    const statusDetails = [
      { fieldViolations: [{ field: 'service.traffic', description: 'must sum to 100' }] },
    ];
    const error = toCloudError(grpc(3, 'The request has errors', { statusDetails }), write);
    expect(error.said).toBe('The request has errors\nservice.traffic: must sum to 100');
    expect(error.message).toBe(`run.services.update services/chat: ${error.said}`);
  });

  test('is bounded', () => {
    expect(toCloudError(grpc(3, 'x'.repeat(1e6)), read).said.length).toBeLessThan(3_000);
  });

  test('tells how to sign in', () => {
    expect(toCloudError(grpc(2, expired), read).said).toContain('gcloud auth application-default login');
  });

  test('survives a value that is no error', () => {
    expect(toCloudError('The client has already been closed.', read).said).toContain('closed');
    expect(toCloudError(undefined, read)).toBeInstanceOf(CloudError);
  });
});

test('a call that ended on our side: a read ends, of a write nobody knows', () => {
  expect(endedHere('aborted', 'stop', read).kind).toBe('aborted');
  expect(endedHere('deadline', 'late', read).kind).toBe('deadline');
  expect(endedHere('aborted', 'stop', write).kind).toBe('outcome-unknown');
});

test('what is normalised already stays', () => {
  const error = toCloudError(grpc(5, 'gone'), read);
  expect(toCloudError(error, write)).toBe(error);
});
