import { describe, expect, test } from 'vitest';
import { type Arriving, e2eLeaks, sourceLeaks } from '../../src/gate/leaks.ts';
import { riskOf } from '../../src/gate/risk.ts';
import type { Change, Plan } from '../../src/plan/plan.ts';
import { sampleTarget } from '../plan/samples.ts';

const arriving = (patch: Partial<Arriving> = {}): Arriving => ({
  ...{ env: {}, secrets: {}, cloudSql: [], headers: [], ...patch },
});
const staging = sampleTarget({
  environment: 'staging',
  ref: { project: 'chat-staging', region: 'us-central1', service: 'chat' },
  e2e: { env: { E2E_KEY: 'open-sesame-42' }, headers: { 'X-E2E-Test': 'open-sesame-43' } },
  secrets: { API_KEY: { secret: 'api-key', version: 'latest' } },
  cloudSql: ['chat-staging:us-central1:main'],
});
const production = sampleTarget({
  environment: 'production',
  ref: { project: 'chat-production', region: 'us-central1', service: 'chat' },
});
const names = { env: new Set(['E2E_KEY', 'E2E_OTHER']), headers: new Set(['x-e2e-test']) };
const none = { e2e: { env: {}, headers: {} } };

describe('what opens a service to tests is found', () => {
  test.each<[string, Arriving, string]>([
    ['a variable', arriving({ env: { E2E_KEY: 'x' } }), 'the variable E2E_KEY opens it to tests'],
    [
      'one of another service',
      arriving({ env: { E2E_OTHER: '' } }),
      'the variable E2E_OTHER opens it to tests',
    ],
    [
      'a secret by the same name',
      arriving({ secrets: { E2E_KEY: { secret: 's', version: '1' } } }),
      'the variable E2E_KEY opens it to tests',
    ],
    [
      'the value under another name',
      arriving({ env: { HARMLESS: 'open-sesame-42' } }),
      'the variable HARMLESS holds a value that opens it to tests',
    ],
    ['a header of a check', arriving({ headers: ['x-e2e-TEST'] }), 'the header x-e2e-test is one for tests'],
  ])('%s', (_, found, told) => {
    expect(e2eLeaks(staging, none, found, names)).toEqual([told]);
  });

  test('and no value is told, and nothing else is found', () => {
    const clean = arriving({ env: { APP_ENV: 'production' }, headers: ['accept'] });
    expect(e2eLeaks(staging, none, clean, names)).toEqual([]);
    const leaky = arriving({ env: { HARMLESS: 'open-sesame-42' } });
    expect(e2eLeaks(staging, none, leaky, names).join()).not.toContain('sesame');
  });
});

describe("what is the source's own is found", () => {
  test.each<[string, Arriving, RegExp]>([
    [
      'a secret of its project',
      arriving({ secrets: { KEY: { secret: 'projects/chat-staging/secrets/k', version: '1' } } }),
      /^KEY comes from staging's secret/,
    ],
    ['its database', arriving({ cloudSql: ['chat-staging:us-central1:main'] }), /is staging's database$/],
    [
      'another of its databases',
      arriving({ cloudSql: ['chat-staging:us-central1:two'] }),
      /staging's database$/,
    ],
    [
      'a variable that names its project',
      arriving({ env: { TOPIC: 'projects/chat-staging/topics/t' } }),
      /^the variable TOPIC names the project chat-staging$/,
    ],
  ])('%s', (_, found, told) => {
    expect(sourceLeaks(staging, production, found).join('|')).toMatch(told);
  });

  test('in one project a secret with the same name is the same secret', () => {
    const shared = { ...production, ref: { ...production.ref, project: 'chat-staging' } };
    const found = arriving({ secrets: { API_KEY: { secret: 'api-key', version: '3' } } });
    expect(sourceLeaks(staging, shared, found)).toEqual(["API_KEY comes from staging's secret api-key"]);
    expect(sourceLeaks(staging, production, found)).toEqual([]);
  });

  test('a project that only begins like it is another one', () => {
    const found = arriving({
      env: { A: 'chat-staging-2', B: 'my-chat-staging' },
      cloudSql: ['chat-staging-2:r:x'],
    });
    expect(sourceLeaks(staging, production, found)).toEqual([]);
  });
});

const plan = (action: Plan['action'], changes: Change[], serviceWide: Change[] = []): Plan => ({
  ...{ version: 1, service: 'chat', environment: 'production', place: production.ref, action },
  ...{ first: action === 'create', because: 'as seen', changes, serviceWide },
  image: { from: 'given', reference: 'i@sha256:aa', source: null },
  ...{ revision: 'chat-r2', tag: null, formerTraffic: [], etag: '', steps: [], notes: [], blockers: [] },
});
const change = (field: string): Change => ({ field, from: 'a', to: 'b' });

describe('the risk', () => {
  test.each<[string, Plan[], string, string[]]>([
    ['of nothing', [plan('none', [])], 'low', ['nothing changes']],
    ['of an image alone', [plan('update', [change('image')])], 'low', ['the image changes']],
    [
      'of configuration',
      [plan('update', [change('image'), change('env.A')])],
      'medium',
      ['configuration changes: env.A'],
    ],
    [
      'of what works at once',
      [plan('update', [change('image')], [change('public')])],
      'medium',
      ['configuration changes: public'],
    ],
    [
      'of a database',
      [plan('update', [change('env.A'), change('container.cloudSql')])],
      'high',
      ['the attached database changes'],
    ],
    ['of a new service', [plan('create', [change('image')])], 'medium', ['the service is new there']],
    [
      'of a new service with a database',
      [plan('create', [{ field: 'container.cloudSql', from: null, to: 'p:r:i' }])],
      'high',
      ['a database is attached'],
    ],
    [
      'of two services is that of the graver',
      [plan('none', []), { ...plan('update', [change('env.A')]), service: 'worker' }],
      'medium',
      ['worker: configuration changes: env.A'],
    ],
    [
      'of a schema',
      [plan('update', [change('image'), { field: 'schema', from: '11', to: '12 (drops users.name)' }])],
      'high',
      ['the database schema changes to 12 (drops users.name)'],
    ],
    ['without a plan', [], 'low', []],
  ])('%s', (_, plans, level, reasons) => {
    expect(riskOf(plans)).toEqual({ level, reasons });
  });
});
