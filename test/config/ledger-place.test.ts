import { expect, test } from 'vitest';
import { resolveLedger } from '../../src/config/ledger-place.ts';
import { parse, problemsOf, short } from './parse.ts';

const config = (ledger: string, source = './app') =>
  parse(
    `services:\n  chat: { source: ${source} }\nenvironments:\n  staging: { project: p, region: r }\n${ledger && `ledger: ${ledger}\n`}`,
    { TEAM: 'blue' },
  );

test.each([
  ['', { kind: 'folder', path: '/home/me/app/.sluice/ledger' }],
  ['.sluice/records', { kind: 'folder', path: '/home/me/app/.sluice/records' }],
  ['../records', { kind: 'folder', path: '/home/me/records' }],
  ['/var/ledger', { kind: 'folder', path: '/var/ledger' }],
  ['gs://team-ledger', { kind: 'bucket', bucket: 'team-ledger', prefix: '' }],
  ['gs://team-ledger/', { kind: 'bucket', bucket: 'team-ledger', prefix: '' }],
  ['gs://team-ledger/sluice/chat/', { kind: 'bucket', bucket: 'team-ledger', prefix: 'sluice/chat' }],
  [`'gs://\${TEAM}-ledger/x'`, { kind: 'bucket', bucket: 'blue-ledger', prefix: 'x' }],
])('%s', (typed, place) => {
  expect(resolveLedger(config(typed))).toEqual(place);
});

const allowed = 'allowed gs://BUCKET/PREFIX, or the path of a folder';

test.each([
  ['gs://', `5:9 ledger: wrong value · found "gs://" · ${allowed}`],
  ['s3://bucket/x', `5:9 ledger: wrong value · found "s3://bucket/x" · ${allowed}`],
  ['gs://team/../x', `5:9 ledger: wrong value · found "gs://team/../x" · ${allowed}`],
  ['gs://Team/x', `5:9 ledger: wrong value · found "gs://Team/x" · ${allowed}`],
  ['[1]', `5:1 ledger: wrong type · found a list · ${allowed}`],
])('%s is refused', (typed, problem) => {
  expect(problemsOf(() => config(typed)).map(short)).toEqual([problem]);
});

test.each([
  [`'gs://\${NOBODY}/x'`, '5:9 ledger: the environment variable NOBODY is not set'],
  [`'\${TEAM} ledger'`, `5:9 ledger: wrong value · found "\${TEAM} ledger" · ${allowed}`],
  [
    'app/records',
    '5:9 ledger: the ledger would be uploaded with the source · found "app/records" · allowed .sluice/ledger, or a place outside',
  ],
])('%s is refused when the ledger is asked for', (typed, problem) => {
  expect(problemsOf(() => resolveLedger(config(typed))).map(short)).toEqual([problem]);
});
