import { describe, expect, test } from 'vitest';
import { entries, probePassed, read, system } from './logs.ts';

type Case = {
  name: string;
  lines: readonly (string | Record<string, unknown>)[];
  exit?: number;
  outcome: string;
  category: string | null;
  cause?: RegExp;
  total?: number;
};

const failures: readonly Case[] = [
  {
    name: 'Spring Boot: a bean is missing',
    lines: [
      '2026-03-01T10:00:00.000Z  INFO 1 --- [           main] com.acme.App   : Starting App v1.0 using Java 21',
      '2026-03-01T10:00:01.000Z  WARN 1 --- [           main] ConfigServletWebServerApplicationContext : Exception encountered during context initialization - cancelling refresh attempt',
      '***************************',
      'APPLICATION FAILED TO START',
      '***************************',
      'Description:',
      "Parameter 0 of constructor in com.acme.Api required a bean of type 'com.acme.Store' that could not be found.",
    ],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /required a bean of type 'com\.acme\.Store'/,
  },
  {
    name: 'Java: nested causes, a line each',
    lines: [
      '2026-03-01 10:00:01.000 ERROR 1 --- [main] o.s.boot.SpringApplication : Application run failed',
      "org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'dataSource'",
      '\tat org.springframework.beans.factory.support.AbstractAutowire.create(AbstractAutowire.java:628)',
      'Caused by: org.hibernate.exception.JDBCConnectionException: Unable to open JDBC Connection for DDL execution',
      '\t... 34 more',
      'Caused by: java.net.ConnectException: Connection refused',
      '\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)',
      '\t... 52 more',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'database',
    cause: /^java\.net\.ConnectException: Connection refused$/,
  },
  {
    name: 'Java: a class is missing',
    lines: [
      'Exception in thread "main" java.lang.NoClassDefFoundError: com/acme/Config',
      '\tat com.acme.Main.main(Main.java:7)',
      'Caused by: java.lang.ClassNotFoundException: com.acme.Config',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'import',
    cause: /ClassNotFoundException: com\.acme\.Config/,
  },
  {
    name: 'Node: CommonJS module missing',
    lines: [
      'node:internal/modules/cjs/loader:1404',
      '  throw err;',
      '  ^',
      '',
      "Error: Cannot find module 'express'",
      'Require stack:',
      '- /workspace/index.js',
      '    at Function._resolveFilename (node:internal/modules/cjs/loader:1401:15)',
      "  code: 'MODULE_NOT_FOUND',",
      'Node.js v24.1.0',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'import',
    cause: /^Error: Cannot find module 'express'$/,
  },
  {
    name: 'Node: ES module missing, without an exit line',
    lines: [
      'node:internal/modules/esm/resolve:275',
      '    throw new ERR_MODULE_NOT_FOUND(',
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'fastify' imported from /workspace/server.mjs",
      '    at packageResolve (node:internal/modules/esm/resolve:873:9)',
      'Node.js v22.4.0',
    ],
    outcome: 'failed',
    category: 'import',
    cause: /Cannot find package 'fastify'/,
  },
  {
    name: 'Node: unhandled rejection with a cause',
    lines: [
      '/workspace/db.js:12',
      "    throw new Error('startup failed to load accounts', { cause });",
      '',
      'Error: loading accounts',
      '    at load (/workspace/db.js:12:11) {',
      '  [cause]: Error: connect ECONNREFUSED 10.0.0.3:5432',
      '      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1607:16)',
      '}',
      'Node.js v24.1.0',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'database',
    cause: /connect ECONNREFUSED 10\.0\.0\.3:5432/,
  },
  {
    name: 'pino: fatal with err.stack',
    lines: [
      { level: 30, time: 1, msg: 'starting' },
      {
        level: 60,
        time: 2,
        msg: 'could not boot',
        err: {
          type: 'TypeError',
          message: "Cannot read properties of undefined (reading 'url')",
          stack:
            "TypeError: Cannot read properties of undefined (reading 'url')\n    at boot (/app/boot.js:3:1)",
        },
      },
    ],
    exit: 1,
    outcome: 'failed',
    category: 'exception',
    cause: /^TypeError: Cannot read properties of undefined \(reading 'url'\)$/,
  },
  {
    name: 'winston: error with a stack of its own',
    lines: [
      {
        level: 'error',
        message: 'uncaughtException: DATABASE_URL is required',
        stack: 'Error: DATABASE_URL is required\n    at Object.<anonymous> (/app/env.js:4:9)',
      },
    ],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /DATABASE_URL is required/,
  },
  {
    name: 'Go: panic',
    lines: [
      'panic: runtime error: invalid memory address or nil pointer dereference',
      '[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4a1b2c]',
      '',
      'goroutine 1 [running]:',
      'main.main()',
      '\t/src/main.go:14 +0x1d',
      'exit status 2',
    ],
    exit: 2,
    outcome: 'failed',
    category: 'exception',
    cause: /^panic: runtime error: invalid memory address/,
  },
  {
    name: 'Go: log.Fatal on the database',
    lines: ['2026/03/01 10:00:00 ping: dial tcp 10.1.0.2:5432: connect: connection refused'],
    exit: 1,
    outcome: 'failed',
    category: 'database',
    cause: /dial tcp 10\.1\.0\.2:5432: connect: connection refused/,
  },
  {
    name: 'zap: fatal',
    lines: [
      {
        level: 'fatal',
        ts: 1.5,
        caller: 'main.go:20',
        msg: 'load config',
        error: 'open config.toml: no such file or directory',
        stacktrace: 'main.main\n\t/src/main.go:20',
      },
    ],
    exit: 1,
    outcome: 'failed',
    category: 'error',
    cause: /load config/,
  },
  {
    name: 'Rust: panic with its message on the next line of the entry',
    lines: [
      "thread 'main' panicked at src/main.rs:8:42:\ncalled `Result::unwrap()` on an `Err` value: NotPresent\nnote: run with `RUST_BACKTRACE=1`",
    ],
    exit: 101,
    outcome: 'failed',
    category: 'setting',
    cause: /NotPresent/,
  },
  {
    name: 'Ruby: gem missing under puma',
    lines: [
      'Puma starting in single mode...',
      '! Unable to load application: LoadError: cannot load such file -- sinatra',
      'bundler: failed to load command: puma (/usr/local/bundle/bin/puma)',
      "/app/config.ru:1:in `require': cannot load such file -- sinatra (LoadError)",
      "\tfrom /app/config.ru:1:in `block in <main>'",
    ],
    exit: 1,
    outcome: 'failed',
    category: 'import',
    cause: /^LoadError: cannot load such file -- sinatra$/,
  },
  {
    name: 'Rails: database refuses',
    lines: [
      '/usr/local/bundle/gems/pg-1.5/lib/pg/connection.rb:842:in `connect_to_hosts\': connection to server at "10.0.0.9", port 5432 failed: Connection refused (PG::ConnectionBad)',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'database',
    cause: /connection to server at "10\.0\.0\.9", port 5432 failed: Connection refused/,
  },
  {
    name: '.NET: unhandled exception with an inner one',
    lines: [
      'Unhandled exception. System.InvalidOperationException: Could not build the host.',
      " ---> System.IO.FileNotFoundException: Could not load file or assembly 'Acme.Core, Version=1.0.0.0'. The system cannot find the file specified.",
      '   at Acme.Program.Main(String[] args) in /src/Program.cs:line 9',
      '   --- End of inner exception stack trace ---',
    ],
    exit: 134,
    outcome: 'failed',
    category: 'import',
    cause: /Could not load file or assembly 'Acme\.Core/,
  },
  {
    name: 'Serilog: fatal with an exception',
    lines: [
      {
        '@t': '2026-03-01',
        '@l': 'Fatal',
        '@m': 'Host terminated unexpectedly',
        '@x': 'System.ArgumentException: Keyword not supported: server\n   at Microsoft.Data.SqlClient.SqlConnection..ctor()',
      },
    ],
    exit: 1,
    outcome: 'failed',
    category: 'exception',
    cause: /^System\.ArgumentException: Keyword not supported: server$/,
  },
  {
    name: 'Django under gunicorn: setting missing, a line each',
    lines: [
      '[2026-03-01 10:00:00 +0000] [7] [ERROR] Exception in worker process',
      'Traceback (most recent call last):',
      '  File "/usr/lib/python3.12/os.py", line 685, in __getitem__',
      '    raise KeyError(key) from None',
      "KeyError: 'SECRET_KEY'",
      '',
      'During handling of the above exception, another exception occurred:',
      '',
      'Traceback (most recent call last):',
      '  File "/app/settings.py", line 9, in <module>',
      'django.core.exceptions.ImproperlyConfigured: Set the SECRET_KEY environment variable',
      '[2026-03-01 10:00:00 +0000] [1] [ERROR] Reason: Worker failed to boot.',
    ],
    exit: 3,
    outcome: 'failed',
    category: 'setting',
    cause: /^KeyError: 'SECRET_KEY'$/,
  },
  {
    name: 'pydantic settings, one entry',
    lines: [
      'Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>\n    settings = Settings()\npydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\ndatabase_url\n  Field required [type=missing]',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /validation error for Settings/,
  },
  {
    name: 'structlog: exception as text in JSON',
    lines: [
      {
        event: 'worker crashed',
        level: 'critical',
        exception:
          'Traceback (most recent call last):\n  File "/app/w.py", line 2, in run\nValueError: bad port\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File "/app/w.py", line 9, in main\nRuntimeError: worker',
      },
    ],
    exit: 1,
    outcome: 'failed',
    category: 'exception',
    cause: /^ValueError: bad port$/,
  },
  {
    name: 'PHP: fatal error',
    lines: ['PHP Fatal error:  Uncaught Error: Class "App\\Kernel" not found in /app/public/index.php:5'],
    exit: 255,
    outcome: 'failed',
    category: 'import',
    cause: /Class "App\\Kernel" not found/,
  },
  {
    name: 'Elixir: environment variable missing',
    lines: [
      '** (RuntimeError) environment variable SECRET_KEY_BASE is missing.\nYou can generate one by calling: mix phx.gen.secret',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /SECRET_KEY_BASE is missing/,
  },
  {
    name: 'Node: heap exhausted',
    lines: ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'],
    exit: 134,
    outcome: 'failed',
    category: 'memory',
    cause: /JavaScript heap out of memory/,
  },
  {
    name: 'a port taken twice',
    lines: [
      'Error: listen EADDRINUSE: address already in use :::8080',
      '    at Server.setupListenHandle',
      'Node.js v24.1.0',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'port',
    cause: /EADDRINUSE/,
  },
  {
    name: 'logback JSON: a stack with causes',
    lines: [
      {
        level: 'ERROR',
        message: 'Application run failed',
        stack_trace:
          'org.springframework.beans.factory.UnsatisfiedDependencyException: Error creating bean\n\tat x.Y(Z.java:1)\nCaused by: org.postgresql.util.PSQLException: FATAL: password authentication failed for user "app"\n\tat q.R(S.java:2)',
      },
    ],
    exit: 1,
    outcome: 'failed',
    category: 'database',
    cause: /^org\.postgresql\.util\.PSQLException: FATAL: password authentication failed/,
  },
  {
    name: 'OpenTelemetry fields',
    lines: [
      {
        severity_text: 'ERROR',
        body: 'boot failed',
        'exception.stacktrace':
          'Traceback (most recent call last):\n  File "/a.py", line 1, in <module>\nValueError: bad',
      },
    ],
    exit: 1,
    outcome: 'failed',
    category: 'exception',
    cause: /^ValueError: bad$/,
  },
  {
    name: 'Monolog: SQLSTATE',
    lines: [
      { message: 'SQLSTATE[HY000] [2002] Connection refused', level: 400, level_name: 'ERROR', context: {} },
    ],
    exit: 1,
    outcome: 'failed',
    category: 'database',
    cause: /SQLSTATE\[HY000\]/,
  },
  {
    name: 'NestJS with colours',
    lines: [
      "\x1b[31m[Nest] 1  - \x1b[39m03/01/2026, 10:00:00 AM \x1b[31m  ERROR\x1b[39m \x1b[38;5;3m[ExceptionHandler] \x1b[39m\x1b[31mNest can't resolve dependencies of the AppService (?).\x1b[39m",
    ],
    exit: 1,
    outcome: 'failed',
    category: 'error',
    cause: /Nest can't resolve dependencies of the AppService/,
  },
  {
    name: 'logrus: fatal',
    lines: ['time="2026-03-01T10:00:00Z" level=fatal msg="missing required env var API_KEY"'],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /^missing required env var API_KEY$/,
  },
  {
    name: 'a start command that is not there',
    lines: ['/bin/sh: 1: gunicorn: not found'],
    exit: 127,
    outcome: 'failed',
    category: 'import',
    cause: /gunicorn: not found/,
  },
  {
    name: 'envalid',
    lines: [' Invalid environment variables:', '    API_URL: undefined'],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /Invalid environment variables/,
  },
  {
    name: 'Python: a syntax error',
    lines: ['  File "/app/main.py", line 12', '    def x(:', 'SyntaxError: invalid syntax'],
    exit: 1,
    outcome: 'failed',
    category: 'exception',
    cause: /^SyntaxError: invalid syntax$/,
  },
  {
    name: 'an unknown program that says why on its last line',
    lines: ['bootstrapping', 'the flux capacitor is cold'],
    exit: 9,
    outcome: 'failed',
    category: 'exit',
    cause: /exit code 9/,
  },
  {
    name: 'pydantic settings, an entry a line: the fields are named',
    lines: [
      'Traceback (most recent call last):',
      '  File "/app/config.py", line 21, in <module>',
      'pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings',
      'database_url',
      "  Field required [type=missing, input_value={'log_level': 'INFO'}, input_type=dict]",
      'jwt_secret',
      '  Field required [type=missing, input_value={}, input_type=dict]',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /for Settings: database_url, jwt_secret$/,
  },
  {
    name: 'an exception group: its member is the cause',
    lines: [
      '  + Exception Group Traceback (most recent call last):',
      '  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)',
      '  +-+---------------- 1 ----------------',
      '    | Traceback (most recent call last):',
      '    |   File "/app/main.py", line 12, in worker',
      "    | OSError: [Errno 111] Connect call failed ('10.0.0.9', 5672)",
    ],
    exit: 3,
    outcome: 'failed',
    category: 'exception',
    cause: /^OSError: \[Errno 111\]/,
  },
  {
    name: 'Node: an AggregateError, its members are the cause',
    lines: [
      'AggregateError [ECONNREFUSED]: \n    at afterConnectMultiple (node:net:1689:7) {\n  [errors]: [\n    Error: connect ECONNREFUSED ::1:5432\n        at createConnectionError (node:net:1652:14) {\n    Error: connect ECONNREFUSED 127.0.0.1:5432\n  ]\n}',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'database',
    cause: /^Error: connect ECONNREFUSED .*:5432/,
  },
  {
    name: 'Node: the source line above an error is not its cause',
    lines: [
      '/workspace/src/config.js:7',
      "    throw new Error('process.env.DATABASE_URL is required');",
      '    ^',
      'Error: process.env.DATABASE_URL is required',
      '    at Object.<anonymous> (/workspace/src/config.js:7:11)',
      'Node.js v22.14.0',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /^Error: process/,
  },
  {
    name: 'Node: a rejection with something that is no error',
    lines: [
      '[UnhandledPromiseRejection: This error originated either by throwing inside of an async function. The promise rejected with the reason "config not loaded".] {',
      'Node.js v22.14.0',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'exception',
    cause: /config not loaded$/,
  },
  {
    name: 'npm: what it prints behind the failure is no cause',
    lines: [
      'npm error Missing script: "start"',
      'npm error',
      'npm error To see a list of scripts, run:',
      'npm error A complete log of this run can be found in: /root/.npm/_logs/debug-0.log',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'import',
    cause: /Missing script: "start"/,
  },
  {
    name: 'Quarkus: the exception listed below the last cause',
    lines: [
      'ERROR [io.quarkus.runtime.Application] (main) Failed to start application: java.lang.RuntimeException: Failed to start quarkus\n\tat io.quarkus.runner.ApplicationImpl.doStart(Unknown Source)\nCaused by: io.smallrye.config.ConfigValidationException: Configuration validation failed:\n\tjava.util.NoSuchElementException: SRCFG00014: The config property acme.token is required but it could not be found',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /acme\.token is required/,
  },
  {
    name: 'anyhow',
    lines: ['Error: failed to load config\n\nCaused by:\n    0: missing field `database_url`'],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /missing field `database_url`/,
  },
  {
    name: 'slog: the error beside the message',
    lines: [{ level: 'ERROR', msg: 'cannot init store', err: 'open /data/x: no such file or directory' }],
    exit: 1,
    outcome: 'failed',
    category: 'error',
    cause: /^cannot init store: open \/data\/x: no such file/,
  },
  {
    name: 't3-env: the details are logged, the exception has only the title',
    lines: [
      "❌ Invalid environment variables: { DATABASE_URL: [ 'Required' ] }",
      'Error: Invalid environment variables',
      'Node.js v22.14.0',
    ],
    exit: 1,
    outcome: 'failed',
    category: 'setting',
    cause: /DATABASE_URL/,
  },
  ...[
    ['psql host by name', 'Error: getaddrinfo ENOTFOUND db.internal', 'database'],
    ['rust pool', 'Error: pool timed out while waiting for an open connection', 'database'],
    ['Cloud SQL socket', 'Error: connect ENOENT /cloudsql/p:r:main/.s.PGSQL.5432', 'database'],
    ['pydantic import', 'pydantic.errors.PydanticImportError: `BaseSettings` has been moved', 'import'],
    ['shared library', 'ImportError: libGL.so.1: cannot open shared object file', 'import'],
    ['shell script', '/app/entrypoint.sh: line 4: gunicorn: command not found', 'import'],
    ['gunicorn', "Failed to find attribute 'app' in 'main'.", 'import'],
    [
      '.NET',
      "Unhandled exception. System.InvalidOperationException: Connection string 'Db' not found.",
      'setting',
    ],
  ].map(([name = '', line = '', category = '']) => ({
    name,
    lines: [line],
    exit: 1,
    outcome: 'failed',
    category,
  })),
];

describe('failed starts of other frameworks', () => {
  test.each(failures)('$name', ({ lines, exit, outcome, category, cause }) => {
    const end = exit === undefined ? [] : system([`Container called exit(${exit}).`], { from: 2 });
    const { profile, signals } = read([...entries(lines), ...end]);
    expect(profile.outcome).toBe(outcome);
    expect(profile.rootCause?.category).toBe(category);
    expect(profile.rootCause?.cause).toMatch(cause ?? /./);
    expect(profile.rootCause?.severity).toBe('fatal');
    expect(profile.rootCause?.entries.length).toBeGreaterThan(0);
    expect(signals.some((signal) => signal.kind === 'fatal')).toBe(true);
  });

  test('the last line of an unexplained exit stands in its cause', () => {
    const { profile } = read([
      ...entries(['the flux capacitor is cold']),
      ...system(['Container called exit(9).'], { from: 1 }),
    ]);
    expect(profile.rootCause?.cause).toContain('the flux capacitor is cold');
  });
});

const successes: readonly Case[] = [
  {
    name: 'Spring Boot',
    lines: [
      '2026-03-01 INFO 1 --- [main] com.acme.App : Started App in 3.2 seconds (process running for 3.9)',
    ],
    outcome: 'started',
    category: null,
    total: 3.2,
  },
  {
    name: 'uvicorn',
    lines: [
      'INFO:     Started server process [1]',
      'INFO:     Waiting for application startup.',
      'INFO:     Application startup complete.',
      'INFO:     Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)',
    ],
    outcome: 'started',
    category: null,
  },
  {
    name: 'Quarkus',
    lines: ['acme 1.0 on JVM (powered by Quarkus 3.8) started in 1.234s. Listening on: http://0.0.0.0:8080'],
    outcome: 'started',
    category: null,
    total: 1.234,
  },
  {
    name: '.NET',
    lines: [
      'info: Microsoft.Hosting.Lifetime[14]',
      '      Now listening on: http://[::]:8080',
      'info: Microsoft.Hosting.Lifetime[0]',
      '      Application started. Press Ctrl+C to shut down.',
    ],
    outcome: 'started',
    category: null,
  },
  {
    name: 'Fastify with pino',
    lines: [{ level: 30, msg: 'Server listening at http://0.0.0.0:8080' }],
    outcome: 'started',
    category: null,
  },
  { name: 'Express', lines: ['Server listening on port 8080'], outcome: 'started', category: null },
  {
    name: 'Go with slog',
    lines: [{ level: 'INFO', msg: 'listening on :8080' }],
    outcome: 'started',
    category: null,
  },
  {
    name: 'Puma',
    lines: ['* Listening on http://0.0.0.0:8080', 'Use Ctrl-C to stop'],
    outcome: 'started',
    category: null,
  },
  { name: 'Flask', lines: [' * Running on http://127.0.0.1:8080'], outcome: 'started', category: null },
  { name: 'Next.js', lines: [' ✓ Ready in 412ms'], outcome: 'started', category: null, total: 0.412 },
  {
    name: 'slog with the address as a field',
    lines: [{ level: 'INFO', msg: 'listening', addr: ':8080' }],
    outcome: 'started',
    category: null,
  },
  { name: 'only a probe', lines: ['booting'], outcome: 'unknown', category: null },
  {
    name: 'gunicorn binds before it boots its workers',
    lines: ['[2026-03-01 10:00:00 +0000] [1] [INFO] Listening at: http://0.0.0.0:8080 (1)'],
    outcome: 'unknown',
    category: null,
  },
];

describe('starts of other frameworks', () => {
  test.each(successes)('$name', ({ lines, outcome, total }) => {
    const { profile } = read([...system([probePassed]), ...entries(lines, { from: 1 })]);
    expect(profile).toMatchObject({ outcome, rootCause: null, findings: [], totalSeconds: total ?? null });
  });
});
