import { expect, test } from 'vitest';
import { entries, read } from './logs.ts';

const innocent: readonly (string | Record<string, unknown>)[] = [
  'error_reporting enabled',
  'Errors: 0',
  '0 errors, 0 warnings',
  'GCP Error Reporting middleware installed',
  'Error handling middleware registered',
  'ErrorRecoveryManager initialized',
  'exception handlers: 4',
  'failed attempts are limited to 5 a minute',
  'fatal errors are sent to #ops',
  'Loaded 12 modules, no errors',
  'database connection pool ready (timeout 30s)',
  'database connection timeout set to 30s',
  'Database timeout: 30s',
  'using redis timeout 5000ms',
  'DEBUG connecting to 10.0.0.3:5432 timeout=5',
  'Environment variable LOG_LEVEL not set, using default INFO',
  'SIGTERM received, shutting down gracefully',
  'ready',
  'DATABASE_URL is set',
  'all required environment variables are present',
  'retry policy: on timeout, 3 times',
  'warning threshold 80 %',
  'GET /errors 200',
  '10.0.0.1 - - "GET /exception HTTP/1.1" 404',
  'INFO:     127.0.0.1:3000 - "GET /panic HTTP/1.1" 404 Not Found',
  '[2026-03-01 10:00:00 +0000] [7] [INFO] Worker exiting (pid: 7)',
  '2026-03-01 10:00:00.000  INFO 1 --- [main] c.a.ErrorController : error page mapped',
  'level=info msg="error budget" remaining=99',
  'memory limit: 512 MiB',
  'Container image import completed.',
  { level: 30, msg: 'error handler installed', err: null },
  {
    level: 'info',
    message: 'No errors found',
    error: { message: 'Missing field', severity: 'ERROR', traceback: '', type: 'str' },
  },
  { severity: 'INFO', message: 'KeyError: fallbacks are on' },
  { level: 'debug', msg: 'ECONNREFUSED is retried' },
  { level: 'info', msg: 'Traceback support on', exception: '' },
  { levelname: 'INFO', message: 'panic: button rendered' },
];

test.each(innocent)('no finding in %j', (line) => {
  const { profile, signals } = read(entries([line]));
  expect(profile).toMatchObject({
    findings: [],
    rootCause: null,
    outcome: 'unknown',
    phases: [],
    systems: [],
  });
  expect(signals).toEqual([]);
});
