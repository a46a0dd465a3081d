import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LogEntry } from '../../src/cloud/ports/logs.ts';
import { defaultFormats } from '../../src/startup/presets.ts';
import { createStartupReader } from '../../src/startup/reader.ts';

export type Measure = { name: string; value: number; unit: string; target: string; met: boolean };

const million = 1_000_000;
const count = 5 * million;

type Shape = Pick<LogEntry, 'severity' | 'log' | 'payload'>;

const text = (
  line: string,
  severity: LogEntry['severity'] = 'DEFAULT',
  log = 'run.googleapis.com/stdout',
): Shape => ({ severity, log, payload: { kind: 'text', text: line } });
const json = (fields: Record<string, unknown>, severity: LogEntry['severity'] = 'INFO'): Shape => ({
  severity,
  log: 'run.googleapis.com/stderr',
  payload: { kind: 'json', json: fields },
});

/** What a busy service writes: mostly innocent lines, some phases, warnings, errors and traces. */
const mix: readonly Shape[] = [
  ...Array.from({ length: 30 }, (_, n) =>
    json({
      message: `Component ${n} initialized with default TTL 300s and user isolation`,
      logger: 'app.core',
      labels: { line: '1706', module: 'logging' },
      error: { message: 'Missing field', severity: 'ERROR' },
    }),
  ),
  ...Array.from({ length: 20 }, (_, n) =>
    text(`169.254.169.126:${50_000 + n} - "GET /api/items/${n} HTTP/1.1" 200`),
  ),
  ...Array.from({ length: 15 }, (_, n) =>
    text(`[2026-03-01 10:00:00 +0000] [${n}] [INFO] Booting worker with pid: ${n}`),
  ),
  ...Array.from({ length: 10 }, (_, n) =>
    json(
      {
        level: 30,
        time: n,
        msg: `request completed`,
        req: { id: n, url: '/items' },
        res: { statusCode: 200 },
      },
      'DEFAULT',
    ),
  ),
  ...Array.from({ length: 7 }, (_, n) => json({ message: `✅ PHASE COMPLETED: PHASE${n} (${n}.250s)` })),
  ...Array.from({ length: 5 }, (_, n) => text(`   System ${n}: ✅ Connected & Validated`, 'INFO')),
  ...Array.from({ length: 4 }, (_, n) => json({ message: `Continuing without migration ${n}` }, 'WARNING')),
  json({ message: 'SessionMiddleware must be installed to access request.session' }, 'ERROR'),
  text('Traceback (most recent call last):', 'ERROR', 'run.googleapis.com/stderr'),
  text('  File "/app/main.py", line 49, in <module>', 'DEFAULT', 'run.googleapis.com/stderr'),
  text(
    "ModuleNotFoundError: No module named 'app.services.monitoring'",
    'DEFAULT',
    'run.googleapis.com/stderr',
  ),
  text('Container called exit(3).', 'WARNING', 'run.googleapis.com/varlog/system'),
  text('Starting new instance. Reason: AUTOSCALING', 'INFO', 'run.googleapis.com/varlog/system'),
];

/** One entry every millisecond; ten revisions, a new instance every ten thousand entries. */
function entryAt(n: number): LogEntry {
  const shape = mix[n % mix.length] ?? text('');
  return {
    ...shape,
    insertId: `${n.toString(16).padStart(12, '0')}abcdef`,
    timestamp: new Date(1_767_225_600_000 + n).toISOString(),
    service: 'shop',
    revision: `shop-0000${n % 10}-abc`,
    instance: `inst-${Math.floor(n / 10_000)}`,
    trace: '',
  };
}

/**
 * Entries a second of one core, and how much the heap grew from the first million to the fifth.
 * The generator's own time is measured apart and taken off.
 */
export async function benchStartup(): Promise<Measure[]> {
  const generating = generate();
  const reader = createStartupReader({ formats: defaultFormats });
  const heaps: number[] = [];
  const began = process.cpuUsage();
  for (let n = 0; n < count; n += 1) {
    reader.push(entryAt(n));
    if ((n + 1) % million === 0) heaps.push(heapAfterCollection());
  }
  const spent = process.cpuUsage(began);
  const seconds = (spent.user + spent.system) / million - generating;
  const rate = Math.round(count / seconds);
  const [first = 0, last = 0] = [heaps[0], heaps.at(-1)];
  const growth = Math.round(((last - first) / 1024 / 1024) * 10) / 10;
  return [
    { name: 'startup parser', value: rate, unit: 'entries/s', target: '≥ 200,000', met: rate >= 200_000 },
    {
      name: 'startup parser heap growth, 1st to 5th million',
      value: growth,
      unit: 'MiB',
      target: '≤ 8',
      met: growth <= 8,
    },
  ];
}

/** CPU seconds that only making the entries takes. */
function generate(): number {
  const began = process.cpuUsage();
  let size = 0;
  for (let n = 0; n < million; n += 1) size += entryAt(n).timestamp.length;
  if (size === 0) throw new Error('no entries');
  const spent = process.cpuUsage(began);
  return ((spent.user + spent.system) / million) * (count / million);
}

/** Garbage not yet collected is no growth. */
function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}
