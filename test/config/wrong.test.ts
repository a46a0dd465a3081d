import { describe, expect, test } from 'vitest';
import { parse, problemsOf, short, withService } from './parse.ts';

const containerKeys =
  'port, cpu, memory, concurrency, timeout, minInstances, maxInstances, cpuBoost, public, serviceAccount, labels';

/** The service's own lines begin at line 3, column 5. */
const wrongServices: [what: string, lines: string, expected: string[]][] = [
  [
    'a near miss of a key',
    'container:\n  memroy: 512Mi',
    [`4:7 services.chat.container.memroy: unknown key "memroy" · allowed ${containerKeys} · → memory`],
  ],
  [
    'a key like no other',
    'rollout: { zzz: 1 }',
    [
      '3:16 services.chat.rollout.zzz: unknown key "zzz" · allowed steps, bake, answers, trafficDeadline, identity',
    ],
  ],
  [
    'text for a number',
    'container: { port: "8080" }',
    ['3:24 services.chat.container.port: wrong type · found text · allowed a whole number from 1 to 65535'],
  ],
  [
    'a number out of range',
    'container: { port: 70000 }',
    ['3:24 services.chat.container.port: wrong value · found 70000 · allowed a whole number from 1 to 65535'],
  ],
  [
    'a duration without its unit',
    'startup: { quiet: "3" }',
    [
      '3:23 services.chat.startup.quiet: wrong value · found "3" · allowed a duration such as 500ms, 30s, 2m or 1h',
    ],
  ],
  [
    'a size in other units',
    'container: { memory: 512MB }',
    [
      '3:26 services.chat.container.memory: wrong value · found "512MB" · allowed a size in Mi or Gi such as 512Mi or 2Gi',
    ],
  ],
  [
    'an unquoted number as a variable, whose value is not shown',
    'env: { PIN: 1234 }',
    ['3:17 services.chat.env.PIN: wrong type · found a number · allowed text: put it in quotes'],
  ],
  [
    'a variable that is no name',
    'env: { A-B: x }',
    [
      '3:12 services.chat.env.A-B: "A-B" is no name for this · allowed a name of letters, digits and _ that does not begin with a digit',
    ],
  ],
  [
    'variables of Cloud Run',
    'env: { PORT: "1" }\nsecrets: { K_REVISION: "a:1" }',
    [
      '3:12 services.chat.env.PORT: PORT is set by Cloud Run · allowed any name but PORT, K_*, X_GOOGLE_*, CLOUD_RUN_*',
      '4:16 services.chat.secrets.K_REVISION: K_REVISION is set by Cloud Run · allowed any name but PORT, K_*, X_GOOGLE_*, CLOUD_RUN_*',
    ],
  ],
  [
    'a secret without a version',
    'secrets: { KEY: db, OTHER: { secret: a } }',
    [
      '3:21 services.chat.secrets.KEY: wrong value · found "db" · allowed SECRET:VERSION such as db-password:3, or {secret, version}',
      '3:25 services.chat.secrets.OTHER.version: "version" is missing · allowed latest or a version number such as "3"',
    ],
  ],
  [
    'one name from two sources',
    'env: { KEY: a }\nsecrets: { KEY: "a:1" }',
    ['4:16 services.chat.secrets.KEY: KEY stands under env too'],
  ],
  [
    'something that is no Cloud SQL instance',
    'cloudSql: ["chat-db"]',
    [
      '3:16 services.chat.cloudSql[0]: no Cloud SQL instance · found "chat-db" · allowed PROJECT:REGION:INSTANCE such as my-project:us-central1:chat-db',
    ],
  ],
  [
    'CPU that Cloud Run does not have',
    'container: { cpu: 3 }',
    [
      '3:23 services.chat.container.cpu: Cloud Run has no such CPU · found 3 · allowed 1, 2, 4, 6 or 8, or a part of one CPU from 0.08 (80m) to 1',
    ],
  ],
  [
    'memory that does not go with the CPU',
    'container: { cpu: 4, memory: 512Mi }',
    [
      '3:34 services.chat.container.memory: this memory does not go with 4 CPU · found 512Mi · allowed 2048Mi to 16384Mi with 4 CPU',
    ],
  ],
  [
    'part of a CPU for many requests',
    'container: { cpu: 0.5 }',
    [
      '3:5 services.chat.container.concurrency: less than one CPU serves one request at a time · found 80 · allowed 1 with 500m CPU',
    ],
  ],
  [
    'more instances at least than at most',
    'container:\n  minInstances: 5\n  maxInstances: 2',
    [
      '4:21 services.chat.container.minInstances: more instances at least than at most · found 5 · allowed at most maxInstances, which is 2',
    ],
  ],
  [
    'a request that takes days',
    'container: { timeout: 48h }',
    [
      '3:27 services.chat.container.timeout: no request timeout of Cloud Run · found 172800s · allowed whole seconds from 1s to 1h',
    ],
  ],
  [
    'a name too long for a tag beside it',
    `name: ${'a'.repeat(38)}`,
    [
      `3:11 services.chat.name: "${'a'.repeat(38)}" cannot be the name of a service · allowed at most 37 lower-case letters, digits and -, beginning with a letter, not ending in -`,
    ],
  ],
  [
    'a rollout that stops half-way',
    'rollout: { steps: [50] }',
    [
      '3:16 services.chat.rollout.steps: the traffic must rise to all of it · found [50] · allowed ascending percents that end in 100',
    ],
  ],
  [
    'a near miss of a format',
    'startup: { formats: [feild-report] }',
    [
      '3:26 services.chat.startup.formats[0]: wrong value · found "feild-report" · allowed field-report, key-value, json, or a format of your own {name, lines, json} · → field-report',
    ],
  ],
  [
    'a wrong rule in a format of your own',
    'startup:\n  formats:\n    - name: mine\n      lines: [{ says: phase, pattern: x }]',
    [
      '6:27 services.chat.startup.formats[0].lines[0].says: wrong value · found "phase" · allowed phase-started, phase-completed, phase-failed, phase-timing, system, total, complete, listening',
    ],
  ],
  [
    'an expression that does not compile',
    'startup:\n  formats:\n    - name: mine\n      lines: [{ says: total, pattern: "(" }]',
    [
      '6:43 services.chat.startup.formats[0].lines[0].pattern: Invalid regular expression: /(/: Unterminated group · allowed a regular expression of JavaScript',
    ],
  ],
  [
    'a budget for a phase that is none',
    'startup: { phases: [INIT, CACHE], budgets: { phases: { CACHES: 1s } } }',
    [
      '3:60 services.chat.startup.budgets.phases.CACHES: "CACHES" is none of the phases · allowed INIT, CACHE · → CACHE',
    ],
  ],
  [
    'a system both required and optional',
    'startup: { systems: { required: [Redis], optional: [Redis] } }',
    ['3:57 services.chat.startup.systems.optional[0]: "Redis" is required already'],
  ],
  [
    'a kind of check that is not there',
    'checklist: [{ id: a, kind: htpp, path: / }]',
    [
      '3:32 services.chat.checklist[0].kind: wrong value · found "htpp" · allowed http, websocket, startup, logs, command, suite, imports, manual · → http',
    ],
  ],
  [
    'a check without what it needs',
    'checklist: [{ id: a, kind: http }]',
    ['3:17 services.chat.checklist[0].path: "path" is missing · allowed a path such as /health'],
  ],
  [
    'two checks of one name, and paths that leave the service',
    'checklist:\n- { id: a, kind: http, path: health }\n- { id: a, kind: http, path: //evil.example }',
    [
      '4:34 services.chat.checklist[0].path: no path of the service · found "health" · allowed a path that begins with one /',
      '5:13 services.chat.checklist[1].id: two checks are called "a"',
      '5:34 services.chat.checklist[1].path: no path of the service · found "//evil.example" · allowed a path that begins with one /',
    ],
  ],
  [
    'a latency of two percentiles, and one with too few samples',
    'checklist:\n- { id: a, kind: http, path: /, expect: { latency: { p50: 1s, p95: 2s } } }\n- { id: b, kind: http, path: /, expect: { latency: { p99: 1s, samples: 20 } } }',
    [
      '4:47 services.chat.checklist[0].expect.latency: a latency is one percentile · allowed one of p50, p90, p95, p99',
      '5:76 services.chat.checklist[1].expect.latency.samples: too few samples to tell p99 · found 20 · allowed at least 100',
    ],
  ],
  [
    'log checks that look for nothing, or in no language',
    'checklist:\n- { id: a, kind: logs }\n- { id: b, kind: logs, absent: ["(?<=x)y"] }\n- { id: c, kind: startup, stages: [] }',
    [
      '4:7 services.chat.checklist[0]: the check "a" looks for nothing · allowed absent, present, maxSeverity or regressions',
      '5:37 services.chat.checklist[1].absent[0]: error parsing regexp: invalid named capture: `(?<=x)y` · allowed a RE2 pattern',
      '6:31 services.chat.checklist[2].stages: the check "c" never runs · allowed candidate, post',
    ],
  ],
  [
    'checks for environments that are not there',
    'checklist:\n- { id: a, kind: startup, environments: [stagging, production] }\n- { id: b, kind: startup, environments: [] }',
    [
      '4:46 services.chat.checklist[0].environments[0]: there is no environment "stagging" · allowed staging, production · → staging',
      '5:31 services.chat.checklist[1].environments: the check "b" never runs · allowed staging, production',
    ],
  ],
  [
    'a known failure without an end, and tries that show the same',
    'checklist:\n- { id: a, kind: startup, expectedToFail: { until: "2027-02-30", reason: x } }\n- { id: b, kind: logs, absent: [x], successes: 2 }',
    [
      '4:56 services.chat.checklist[0].expectedToFail.until: no day of the calendar · found "2027-02-30" · allowed a day such as "2027-01-31"',
      '5:52 services.chat.checklist[1].successes: a logs check sees the same with every try · found 2 · allowed 1',
    ],
  ],
  [
    'a manual check that asks nothing, or before there is a revision',
    'checklist:\n- { id: a, kind: manual }\n- { id: b, kind: manual, question: Well?, stages: [predeploy] }',
    [
      '4:7 services.chat.checklist[0].question: "question" is missing · allowed a question, such as "Does the chat answer in French?"',
      '5:56 services.chat.checklist[1].stages[0]: wrong value · found "predeploy" · allowed candidate, post',
    ],
  ],
  [
    'checks before the build that need a revision, and imports after it',
    'checklist:\n- { id: a, kind: http, path: /, stages: [predeploy, post] }\n- { id: b, kind: imports, language: node, stages: [candidate] }',
    [
      '4:37 services.chat.checklist[0].stages: a check of kind http needs a revision, and before the build there is none · found predeploy · allowed candidate, post',
      '5:47 services.chat.checklist[1].stages: the check "b" looks at the source · allowed predeploy',
    ],
  ],
  [
    'a program as a line of a shell, and a share without its sign',
    'checklist:\n- { id: a, kind: command, command: npm test }\n- { id: b, kind: suite, command: [x], tolerance: "5" }',
    [
      '4:40 services.chat.checklist[0].command: wrong type · found text · allowed a list: the program, then its arguments',
      '5:54 services.chat.checklist[1].tolerance: wrong value · found "5" · allowed a share such as 5%',
    ],
  ],
  [
    'a program that is told what Sluice tells, and output in no language',
    'checklist:\n- { id: b, kind: command, command: [npm], env: { SERVICE_URL: x }, output: { absent: ["("] } }',
    [
      '4:54 services.chat.checklist[0].env.SERVICE_URL: SERVICE_URL is set by Sluice · allowed any name but SERVICE_URL, CANDIDATE_URL, SERVICE_ID_TOKEN, E2E_HEADERS, SLUICE_*',
      '4:91 services.chat.checklist[0].output.absent[0]: error parsing regexp: missing closing ): `(` · allowed a RE2 pattern',
    ],
  ],
  [
    'suites of nothing, and of two things',
    'checklist:\n- { id: a, kind: suite }\n- { id: b, kind: suite, command: [x], phases: [] }',
    [
      '4:7 services.chat.checklist[0]: the suite "a" says nothing to run · allowed either command or phases',
      '5:7 services.chat.checklist[1]: the suite "b" says twice what to run · allowed either command or phases',
    ],
  ],
  [
    'phases of one name, and a report beside them',
    'checklist:\n- { id: c, kind: suite, phases: [{ name: P0, command: [x] }, { name: P0, command: [y] }] }\n- { id: d, kind: suite, junit: j.xml, phases: [{ name: P0, command: [x] }] }',
    [
      '4:74 services.chat.checklist[0].phases[1].name: two phases are called "P0"',
      '5:29 services.chat.checklist[1].junit: with phases each one names its own report',
    ],
  ],
  [
    'imports of nothing, or of no module',
    'checklist:\n- { id: a, kind: imports, language: python }\n- { id: b, kind: imports, language: python, packages: [my-app] }\n- { id: c, kind: imports, language: node, packages: [x] }',
    [
      '4:7 services.chat.checklist[0].packages: the check "a" imports nothing · allowed a list such as [netra_backend]',
      '5:60 services.chat.checklist[1].packages[0]: no Python module · found "my-app" · allowed a name such as app.main',
      '6:47 services.chat.checklist[2].packages: packages are for language: python',
    ],
  ],
];

describe('a wrong service is refused for', () => {
  test.each(wrongServices)('%s', (_, lines, expected) => {
    expect(problemsOf(() => parse(withService(lines))).map(short)).toEqual(expected);
  });
});

const places = 'staging: { project: p, region: r }';

const wrongFiles: [what: string, text: string, expected: string[]][] = [
  [
    'an empty file',
    '',
    [
      '1:1 services: "services" is missing · allowed a map of names to values',
      '1:1 environments: "environments" is missing · allowed a map of names to values',
    ],
  ],
  [
    'no service and no environment',
    'services: {}\nenvironments: {}\n',
    [
      '1:1 services: there must be one of the services at least',
      '2:1 environments: there must be one of the environments at least',
    ],
  ],
  [
    'another version',
    `version: 2\nservices: { chat: }\nenvironments: { ${places} }\n`,
    ['1:10 version: wrong value · found 2 · allowed 1'],
  ],
  [
    'an environment without its project',
    'services: { chat: }\nenvironments:\n  staging: { projcet: p, region: r }\n',
    [
      '3:3 environments.staging.project: "project" is missing · allowed a Google Cloud project id',
      '3:14 environments.staging.projcet: unknown key "projcet" · allowed project, region, url, cloud, e2e, gate, promotion, services · → project',
    ],
  ],
  [
    'an override of a service that is not there',
    'services: { chat: }\nenvironments:\n  staging: { project: p, region: r, services: { chta: {} } }\n',
    ['3:49 environments.staging.services.chta: there is no service "chta" · allowed chat · → chat'],
  ],
  [
    'what only the override makes wrong',
    'services: { chat: { container: { maxInstances: 3 } } }\nenvironments:\n  staging:\n    project: p\n    region: r\n    services: { chat: { container: { minInstances: 4 } } }\n',
    [
      '6:52 environments.staging.services.chat.container.minInstances: more instances at least than at most · found 4 · allowed at most maxInstances, which is 3',
    ],
  ],
  [
    'an unknown key in an override',
    'services: { chat: }\nenvironments:\n  staging: { project: p, region: r, services: { chat: { containre: {} } } }\n',
    [
      '3:57 environments.staging.services.chat.containre: unknown key "containre" · allowed name, source, build, container, env, secrets, cloudSql, e2e, startup, rollout, checklist, schema · → container',
    ],
  ],
  [
    'one address for two services',
    'services: { chat: , mail: }\nenvironments:\n  staging: { project: p, region: r, url: "https://x.example" }\n',
    [
      '3:42 environments.staging.url: one address for several services · found "https://x.example" · allowed an address that holds {service}',
    ],
  ],
  [
    'two entries that are the same Cloud Run service',
    'services:\n  chat: { name: app }\n  mail: { name: app }\nenvironments: { staging: { project: p, region: r } }\n',
    [
      '3:3 services.mail: mail in staging and chat in staging are the same Cloud Run service, p/r/app · allowed names or projects that differ',
    ],
  ],
];

describe('a wrong file is refused for', () => {
  test.each(wrongFiles)('%s', (_, text, expected) => {
    expect(problemsOf(() => parse(text)).map(short)).toEqual(expected);
  });
});

test('all problems come at once, those of keys and those of rules', () => {
  const text = withService(
    'sorce: .\nenv: { PORT: "1" }\nstartup: { quiet: soon }\ncontainer: { minInstances: 9, maxInstances: 3 }',
  );
  expect(problemsOf(() => parse(text)).map(({ line, column }) => `${line}:${column}`)).toEqual([
    '3:5',
    '4:12',
    '5:23',
    '6:32',
  ]);
});

test('the text for people names place, problem, what is allowed and the near miss', () => {
  expect(() => parse(withService('container:\n  memroy: 512Mi'))).toThrowError(
    `A problem in sluice.yaml:

sluice.yaml:4:7  services.chat.container.memroy
  unknown key "memroy"
  allowed: ${containerKeys}
  did you mean memory?`,
  );
});

test('of very many problems the text shows the first fifty', () => {
  const text = withService(Array.from({ length: 80 }, (_, at) => `zz${at}: 1`).join('\n'));
  const problems = problemsOf(() => parse(text));
  expect(problems).toHaveLength(80);
  expect(() => parse(text)).toThrowError(/zz49[\s\S]*and 30 more$/);
});
