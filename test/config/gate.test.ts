import { describe, expect, test } from 'vitest';
import { resolveEnvironment } from '../../src/config/environment.ts';
import { parse, problemsOf, short } from './parse.ts';

const file = (production: string) => `services:
  chat: { e2e: { env: {} } }
environments:
  staging: { project: chat-staging, region: us-central1, e2e: true, services: { chat: { e2e: { env: { E2E_KEY: k }, headers: { X-E2E: v } } } } }
  production:
    project: chat-production
    region: us-central1
${production.replaceAll(/^/gm, '    ')}
`;
const gateOf = (production: string) => resolveEnvironment(parse(file(production)), 'production');
const wrongIn = (production: string) => problemsOf(() => parse(file(production))).map(short);

test('a gate that is not there demands fresh evidence and nobody', () => {
  expect(gateOf('')).toEqual({
    name: 'production',
    gate: { maxEvidenceAgeSeconds: 86_400, approvals: 0, selfApproval: false, freeze: [] },
    image: 'reference',
    e2eNames: { env: new Set(['E2E_KEY']), headers: new Set(['x-e2e']) },
  });
});

test('a gate as it is typed', () => {
  const typed = `gate:
  from: staging
  maxEvidenceAge: 90m
  approvals: 2
  selfApproval: true
  freeze:
    - { from: 2026-12-24, to: 2026-12-26, timeZone: Europe/Berlin, reason: holidays }
    - { days: [fri, sun], from: "16:00", to: "06:30", reason: nights }
    - { days: [sat], reason: Saturdays }
promotion: { image: copy }`;
  expect(gateOf(typed)).toMatchObject({
    image: 'copy',
    gate: {
      ...{ from: 'staging', maxEvidenceAgeSeconds: 5400, approvals: 2, selfApproval: true },
      freeze: [
        { kind: 'once', from: '2026-12-24', to: '2026-12-26', timeZone: 'Europe/Berlin', reason: 'holidays' },
        { kind: 'weekly', days: [4, 6], from: 960, to: 390, timeZone: 'UTC', reason: 'nights' },
        { kind: 'weekly', days: [5], from: 0, to: 1440, timeZone: 'UTC', reason: 'Saturdays' },
      ],
    },
  });
});

describe('a gate is refused for', () => {
  test.each<[string, string, RegExp]>([
    [
      'an environment that is not there',
      'gate: { from: stagin }',
      /gate\.from: .*found "stagin" · allowed staging · → staging/,
    ],
    ['itself', 'gate: { from: production }', /found "production" · allowed staging/],
    ['an age without a unit', 'gate: { maxEvidenceAge: 24 }', /maxEvidenceAge: .*a duration/],
    ['half an approval', 'gate: { approvals: 0.5 }', /approvals: .*whole number from 0 to 20/],
    [
      'a window without an end',
      'gate: { freeze: [{ from: 2026-12-24, reason: x }] }',
      /freeze\[0\]: .*a day such as/,
    ],
    [
      'a day that does not exist',
      'gate: { freeze: [{ from: 2026-02-30, to: 2026-03-01, reason: x }] }',
      /freeze\[0\]\.from/,
    ],
    ['a window without a reason', 'gate: { freeze: [{ days: [sat] }] }', /reason/],
    [
      'a time of day without days',
      'gate: { freeze: [{ from: "16:00", to: "18:00", reason: x }] }',
      /freeze\[0\]\.from/,
    ],
    [
      'a day beside days',
      'gate: { freeze: [{ days: [sat], from: 2026-12-24, reason: x }] }',
      /a time of day such as/,
    ],
    [
      'a zone of fantasy',
      'gate: { freeze: [{ days: [sat], timeZone: Mars/Olympus, reason: x }] }',
      /time zone such as/,
    ],
    ['a key that is misspelt', 'gate: { aprovals: 1 }', /unknown key "aprovals".*→ approvals/],
    ['a way that is not there', 'promotion: { image: teleport }', /image: .*allowed reference, copy/],
  ])('%s', (_, typed, told) => {
    expect(wrongIn(typed).join('\n')).toMatch(told);
  });
});
