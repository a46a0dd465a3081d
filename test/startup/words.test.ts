import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asidesOf, asideWords } from '../../src/startup/asides.ts';
import type { Format, LineRule, StartupFormats } from '../../src/startup/formats.ts';
import { compileFormats } from '../../src/startup/lines.ts';
import { defaultFormats, frameworks } from '../../src/startup/presets.ts';

const own: Format = {
  name: 'own',
  lines: [
    { says: 'phase-completed', pattern: '<<(?<name>\\w+)>> took (?<seconds>[\\d.]+)s', contains: '>> took' },
    { says: 'system', pattern: '(?<name>\\w+) \\[(?<status>up|down)\\]', contains: '[' },
    { says: 'system', pattern: '^🚀 (?<name>\\w+)', contains: '🚀' },
    { says: 'total', pattern: '^all: (?<seconds>[\\d.]+)s$' },
    { says: 'complete', pattern: 'done', contains: 'x+y$z' },
  ],
  json: [],
};
const formats: StartupFormats = [own, ...defaultFormats, frameworks];

/** What the rules say, each tried alone, its word looked for by itself. */
const alone = formats.flatMap((format) =>
  format.lines.map(({ contains = '', ...rule }) => ({
    contains,
    matcher: compileFormats([{ ...format, lines: [rule], json: [] }]),
  })),
);
function slowly(line: string) {
  for (const { contains, matcher } of alone) {
    const fact = line.includes(contains) ? matcher.ofLine(line, true) : undefined;
    if (fact) return fact;
  }
  return undefined;
}

const matcher = compileFormats(formats, asideWords);
const quickly = (line: string) => matcher.ofLine(line, matcher.holdsWord(line));

/** The rules' own words, and what they stand next to in a line. */
const words = formats.flatMap(({ lines }) => lines.flatMap(({ contains }: LineRule) => contains ?? []));
const lines = [
  '<<LOAD>> took 1.5s',
  'worker [down]',
  '🚀 liftoff',
  'all: 3s',
  'done: x+y$z',
  'done: xxyz',
  '✅ PHASE COMPLETED: INIT (0.500s)',
  ' FAIL:  PHASE FAILED: CACHE (25.0s) - timeout after 25.0s',
  '🔄 PHASE TRANSITION → INIT',
  '✅ Total Time: 2.000s',
  'STARTUP SEQUENCE COMPLETED',
  '   DATABASE   : 0.747s (3.8%)',
  'CHAT FUNCTIONALITY: FULLY OPERATIONAL',
  '   Cache: ⚠️ Slow',
  'level=info phase=INIT seconds=0.5 status=ok',
  'system="Data base" state=up detail=fine',
  'startup=complete total=2',
  'total_seconds=2 startup_total=3s',
  'startup_seconds=1.5',
  'Started App in 3.1 seconds',
  'Application started in 2s',
  'Application startup complete.',
  'Nest application successfully started',
  'Server startup in [812] milliseconds',
  'Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)',
  'Listening on port 8080',
  ' * Running on all addresses (0.0.0.0)',
  '169.254.169.126:50000 - "GET /api/items/1 HTTP/1.1" 200',
  'SIGTERM received, shutting down gracefully',
  'Handling signal: term',
  'Gracefully stopping worker',
  'Graceful shutdown',
  'shutting down',
  'SHUTDOWN_REQUESTED',
  'connecting to /cloudsql/shop:europe-west1:main/.s.PGSQL.5432',
  'Component 7 initialized with default TTL 300s and user isolation',
];
const pieces = lines.flatMap((line) => line.split(/(?<= )/));
const piece = fc.oneof(
  fc.constantFrom(...pieces),
  fc.constantFrom(...words, ...asideWords),
  fc.constantFrom(' ', '=', ': ', '(1.5s)', '"', '→'),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const line = fc.oneof(
  fc.constantFrom(...lines),
  fc.tuple(fc.constantFrom(...lines), piece).map((parts) => parts.join(' ')),
  fc.tuple(piece, fc.constantFrom(...lines)).map((parts) => parts.join(' ')),
  fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
);

describe('words tell lines apart', () => {
  test('a line says the same as when each rule looks for its own word', () => {
    fc.assert(
      fc.property(line, (text) => {
        expect(quickly(text)).toEqual(slowly(text));
      }),
      { numRuns: 1000 },
    );
  });

  test.each(lines)('as in %j', (text) => {
    expect(quickly(text)).toEqual(slowly(text));
    if (asidesOf(text).length > 0) expect(matcher.holdsWord(text)).toBe(true);
  });

  test('what is said on the side holds a word', () => {
    fc.assert(
      fc.property(line, (text) => {
        if (asidesOf(text).length > 0) expect(matcher.holdsWord(text)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
