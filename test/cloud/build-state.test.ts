import { expect, test } from 'vitest';
import { toBuildState } from '../../src/cloud/build-adapter.ts';

type Build = Parameters<typeof toBuildState>[0];

test.for<[string, Build, object]>([
  [
    'a build that succeeded',
    {
      id: 'b',
      status: 'SUCCESS',
      results: { images: [{ name: 'repo/chat', digest: 'sha256:1' }] },
      logsBucket: 'gs://logs',
      logUrl: 'http://log',
    },
    {
      id: 'b',
      status: 'SUCCESS',
      images: [{ name: 'repo/chat', digest: 'sha256:1' }],
      logsBucket: 'logs',
      logUrl: 'http://log',
    },
  ],
  [
    'a build that failed',
    { id: 'b', status: 'FAILURE', failureInfo: { type: 'USER_BUILD_STEP', detail: 'npm ci' } },
    { status: 'FAILURE', failure: { type: 'USER_BUILD_STEP', detail: 'npm ci' } },
  ],
  [
    'a failure whose detail stands elsewhere',
    { status: 'INTERNAL_ERROR', statusDetail: 'no workers' },
    { failure: { type: 'FAILURE_TYPE_UNSPECIFIED', detail: 'no workers' } },
  ],
  [
    'a log that is in Cloud Logging only',
    { status: 'WORKING', logsBucket: 'gs://logs', options: { logging: 'CLOUD_LOGGING_ONLY' } },
    { status: 'WORKING', logsBucket: '' },
  ],
  ['a status of the future', { status: null }, { status: 'STATUS_UNKNOWN', images: [] }],
])('%s', ([, build, state]) => {
  expect(toBuildState(build)).toMatchObject(state);
});
