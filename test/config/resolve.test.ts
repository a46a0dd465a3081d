import { describe, expect, test } from 'vitest';
import { resolveTarget } from '../../src/config/resolve.ts';
import { presetNames } from '../../src/config/schema/startup.ts';
import { defaultFormats, presets } from '../../src/startup/presets.ts';
import { parse, problemsOf, short, withService } from './parse.ts';

const two = `services:
  chat:
    name: chat-{env}
    source: ./backend
    env: { A: base, B: "{project}/{region}/{service}", C: "\${HOME}", D: "$\${HOME} {x}" }
    secrets: { KEY: "db-password:3" }
    container: { cpu: 500m, concurrency: 1, labels: { team: "{env}" } }
    checklist:
      - { id: a, kind: http, path: /, expect: { status: [200, 204], headers: { Content-Type: html }, latency: { p99: 0.5s } } }
  mail: {}
environments:
  staging:
    project: my-\${TEAM}
    region: us-central1
    url: https://{service}.example.com/
    e2e: true
    services:
      chat:
        env: { A: null, E: staging }
        secrets: { KEY: { secret: other, version: latest } }
        checklist: []
        e2e: { env: { E2E_KEY: "1" }, headers: { X-E2E: "true" } }
  production: { project: p, region: r, cloud: local }
`;

const config = () => parse(two, { TEAM: 'team', HOME: '/home/me' });

describe('a target', () => {
  test('has its overrides merged and its placeholders filled', () => {
    const [chat, mail, ...rest] = resolveTarget(config(), { environment: 'staging' });
    expect(rest).toEqual([]);
    expect(chat).toMatchObject({
      key: 'chat',
      environment: 'staging',
      ref: { project: 'my-team', region: 'us-central1', service: 'chat-staging' },
      url: 'https://chat-staging.example.com',
      cloud: 'google',
      sourceDir: '/home/me/app/backend',
      env: {
        B: 'my-team/us-central1/chat-staging',
        C: '/home/me',
        D: `\${HOME} {x}`,
        E: 'staging',
        E2E_KEY: '1',
      },
      secrets: { KEY: { secret: 'other', version: 'latest' } },
      e2e: { env: { E2E_KEY: '1' }, headers: { 'X-E2E': 'true' } },
      checklist: [],
    });
    expect(chat?.env).not.toHaveProperty('A');
    expect(mail?.ref.service).toBe('mail');
  });

  test('has units, defaults and lists filled in', () => {
    const [chat] = resolveTarget(config(), { environment: 'production', service: 'chat' });
    expect(chat).toMatchObject({
      cloud: 'local',
      build: {
        repository: 'r-docker.pkg.dev/p/cloud-run-source-deploy/chat-production',
        timeoutSeconds: 600,
      },
      container: {
        port: 8080,
        cpu: '500m',
        memory: '512Mi',
        timeoutSeconds: 300,
        labels: { team: 'production' },
      },
      secrets: { KEY: { secret: 'db-password', version: '3' } },
      startup: { formats: defaultFormats, phases: [], quietSeconds: 2, deadlineSeconds: 300 },
      rollout: { steps: [100], bakeSeconds: 10, answers: 5, identity: { path: '/' } },
      checklist: [
        {
          id: 'a',
          stages: ['candidate', 'post'],
          method: 'GET',
          attempts: 3,
          timeoutSeconds: 10,
          expect: {
            status: [200, 204],
            headers: { 'content-type': 'html' },
            latency: { percentile: 99, ms: 500, samples: 100 },
          },
        },
      ],
    });
    expect(chat).not.toHaveProperty('url');
  });

  test('has suites as phases, and programs with their defaults', () => {
    const lines = `checklist:
- { id: unit, kind: suite, stages: [predeploy], command: [vitest], junit: out.xml, tolerance: 2.5% }
- { id: e2e, kind: suite, phases: [{ name: P0, command: [pytest] }], latency: { p95: 2s }, timeout: 10m }
- { id: sql, kind: command, command: [psql, "{url}"], exitCode: 3 }
- { id: imports, kind: imports, language: python, packages: [app] }`;
    const [target] = resolveTarget(parse(withService(lines)), { environment: 'staging' });
    expect(target?.checklist).toMatchObject([
      {
        phases: [{ name: 'tests', command: ['vitest'], junit: 'out.xml' }],
        tolerance: 0.025,
        timeoutSeconds: 900,
      },
      {
        phases: [{ name: 'P0' }],
        latency: { p95: 2 },
        tolerance: 0,
        timeoutSeconds: 600,
        stages: ['candidate'],
      },
      { command: ['psql', '{url}'], exitCode: [3], output: { present: [], absent: [] }, dir: '.', env: {} },
      { stages: ['predeploy'], python: ['python3'], packages: ['app'], ignore: [] },
    ]);
  });

  test.each([
    ['1', '1'],
    ['"2"', '2'],
    ['1000m', '1'],
    ['0.08', '80m'],
    ['500m', '500m'],
  ])('spells cpu %s as Cloud Run does: %s', (typed, cpu) => {
    const text = withService(`container: { cpu: ${typed}, concurrency: 1 }`);
    expect(resolveTarget(parse(text), { environment: 'staging' })[0]?.container.cpu).toBe(cpu);
  });

  test.each([
    ['250ms', 0.25],
    ['1.5s', 1.5],
    ['2m', 120],
    ['1h', 3600],
  ])('reads %s as %d seconds', (typed, seconds) => {
    const text = withService(`startup: { deadline: ${typed} }`);
    expect(resolveTarget(parse(text), { environment: 'staging' })[0]?.startup.deadlineSeconds).toBe(seconds);
  });

  test('takes the presets that startup knows, by the same names', () => {
    expect(Object.keys(presets).sort()).toEqual([...presetNames].sort());
    const text = withService(
      'startup: { formats: [json, { name: mine, lines: [{ says: total, pattern: "T (?<ms>\\\\d+)" }] }] }'
        .replaceAll('"', "'")
        .replace('\\\\d', '\\d'),
    );
    expect(resolveTarget(parse(text), { environment: 'staging' })[0]?.startup.formats).toEqual([
      presets['json'],
      { name: 'mine', lines: [{ says: 'total', pattern: 'T (?<ms>\\d+)' }], json: [] },
    ]);
  });

  test('is on the local cloud with --local', () => {
    expect(
      resolveTarget(config(), { environment: 'staging', local: true }).map(({ cloud }) => cloud),
    ).toEqual(['local', 'local']);
  });
});

describe('an unset variable', () => {
  test('is a problem with its place, for who asks for that environment only', () => {
    const unset = parse(two, { HOME: '/home/me' });
    expect(resolveTarget(unset, { environment: 'production' })).toHaveLength(2);
    expect(problemsOf(() => resolveTarget(unset, { environment: 'staging' })).map(short)).toContain(
      '13:14 environments.staging.project: the environment variable TEAM is not set',
    );
  });

  test('may stand where a format is asked for, and is judged once it is filled', () => {
    const text = withService(`container: { memory: "\${MEMORY}" }`);
    const target = (env: Record<string, string>) =>
      resolveTarget(parse(text, env), { environment: 'staging' });
    expect(target({ MEMORY: '2Gi' })[0]?.container.memory).toBe('2Gi');
    expect(problemsOf(() => target({ MEMORY: 'much' })).map(short)).toEqual([
      `3:26 services.chat.container.memory: wrong value · found "\${MEMORY}" · allowed a size in Mi or Gi such as 512Mi or 2Gi`,
    ]);
    expect(problemsOf(() => target({})).map(short)).toEqual([
      '3:26 services.chat.container.memory: the environment variable MEMORY is not set',
    ]);
  });
});

const why = (name: string) =>
  `${name} bypasses authentication, and the environment production does not allow e2e`;
const where = 'allowed only where the environment says e2e: true';
const e2e = `services:
  chat:
    e2e: { env: {}, headers: {} }
    checklist: [{ id: a, kind: http, path: /, headers: { x-e2e: "1" } }]
environments:
  staging:
    project: p
    region: r
    e2e: true
    services: { chat: { e2e: { env: { E2E_KEY: "1" }, headers: { X-E2E: "1" } } } }
  production:
    project: p2
    region: r
    services:
      chat:
        checklist: []
`;

describe('what bypasses authentication is refused where e2e is not allowed,', () => {
  test.each([
    ['as an e2e variable', 'e2e: { env: { OTHER: "1" } }', '17:23', 'e2e.env.OTHER', 'OTHER'],
    ['as an e2e header', 'e2e: { headers: { X-Other: "1" } }', '17:27', 'e2e.headers.X-Other', 'X-Other'],
    ['as a plain variable', 'env: { E2E_KEY: "1" }', '17:16', 'env.E2E_KEY', 'E2E_KEY'],
    ['as a secret', 'secrets: { E2E_KEY: "a:1" }', '17:20', 'secrets.E2E_KEY', 'E2E_KEY'],
  ])('%s', (_, line, place, path, name) => {
    const problems = problemsOf(() => parse(`${e2e}        ${line}\n`));
    expect(problems.map(short)).toEqual([
      `${place} environments.production.services.chat.${path}: ${why(name)} · ${where}`,
    ]);
  });

  test('as a header of a check', () => {
    const problems = problemsOf(() => parse(e2e.replace('        checklist: []\n', '        env: {}\n')));
    expect(problems.map(short)).toEqual([
      `4:58 services.chat.checklist[0].headers.x-e2e: ${why('x-e2e')} · ${where}`,
    ]);
  });

  test('from the command line', () => {
    const config = parse(e2e);
    const deploy = (environment: string) => resolveTarget(config, { environment, set: { E2E_KEY: 'mine' } });
    expect(deploy('staging')[0]?.env).toEqual({ E2E_KEY: 'mine' });
    expect(problemsOf(() => deploy('production'))).toEqual([
      {
        file: '--env',
        line: 0,
        column: 0,
        path: 'E2E_KEY',
        message: why('E2E_KEY'),
        allowed: where.slice(8),
      },
    ]);
  });
});

describe('a variable of the command line', () => {
  test('is set for this target and shown by its name only when it is wrong', () => {
    const config = parse(withService('env: { A: "1" }'));
    const [target] = resolveTarget(config, { environment: 'staging', set: { A: '2', B: `\${HOME} {env}` } });
    expect(target?.env).toEqual({ A: '2', B: `\${HOME} {env}` });
    expect(() => resolveTarget(config, { environment: 'staging', set: { PORT: 'hush' } })).toThrowError(
      /^A problem in --env:\n\n--env {2}PORT\n {2}PORT is set by Cloud Run\n(?!.*hush)/,
    );
  });
});

describe('a name that is not there', () => {
  test.each([
    ['environment', { environment: 'stagin' }, ['staging, production', 'did you mean staging?']],
    ['service', { environment: 'staging', service: 'chatt' }, ['chat, mail', 'did you mean chat?']],
    ['environment', { environment: 'toString' }, ['staging, production']],
  ])('an %s: says what there is', (kind, options, said) => {
    expect(() => resolveTarget(config(), options)).toThrowError(new RegExp(`There is no ${kind} `));
    for (const part of said) expect(() => resolveTarget(config(), options)).toThrowError(part);
  });
});
