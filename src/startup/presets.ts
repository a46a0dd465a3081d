import type { Format, LineRule, StartupFormats } from './formats.ts';

const seconds = String.raw`(?<seconds>\d+(?:\.\d+)?)\s?s(?:ec(?:onds?)?)?`;
/** Marks before the words: emoji, arrows, `PASS:`. */
const marks = String.raw`^\W*(?:(?:PASS|FAIL|CYCLE|WARNING|CHART|TARGET):\s+)?`;
const level = '(?:PASS|FAIL|WARNING|CRITICAL|ERROR|INFO|DEBUG|NOTICE)';

/** The field reports' lines, with and without emoji. */
const fieldReport: Format = {
  name: 'field-report',
  lines: [
    {
      says: 'phase-completed',
      pattern: `${marks}PHASE COMPLETED: (?<name>\\w[\\w -]*?)(?: \\(${seconds}\\))?\\s*$`,
      contains: 'PHASE COMPLETED',
    },
    {
      says: 'phase-failed',
      pattern: `${marks}PHASE FAILED: (?<name>\\w[\\w ]*?)(?: \\(${seconds}\\))?(?:\\s+-\\s+(?<detail>.*))?$`,
      contains: 'PHASE FAILED',
    },
    {
      says: 'phase-started',
      pattern: `${marks}PHASE TRANSITION\\s+(?:→|->)\\s+(?<name>\\w[\\w -]*?)\\s*$`,
      contains: 'PHASE TRANSITION',
    },
    { says: 'total', pattern: `${marks}Total Time: ${seconds}`, contains: 'Total Time' },
    {
      says: 'complete',
      pattern: `${marks}[\\w ]*STARTUP SEQUENCE COMPLETED`,
      contains: 'STARTUP SEQUENCE COMPLETED',
    },
    {
      says: 'phase-timing',
      pattern: `^\\s+(?<name>[A-Z][A-Z0-9_ -]*?)\\s*: ${seconds} \\([\\d.]+%\\)\\s*$`,
      contains: '%)',
    },
    {
      says: 'system',
      name: 'Chat functionality',
      pattern: `${marks}CHAT FUNCTIONALITY: (?<status>(?<detail>\\w[\\w -]*?))\\s*$`,
      contains: 'CHAT FUNCTIONALITY',
    },
    {
      says: 'system',
      pattern: `^\\s{1,12}(?!${level}\\s*:)(?<name>[A-Za-z][\\w ./-]{0,40}?)\\s*:\\s*(?<status>✅|✓|⚠️?|❌|✗|🟢|🟡|🔴|(?:PASS|WARNING|FAIL):)\\s*(?<detail>.*)$`,
    },
  ],
  json: [],
  statusWords: {
    healthy: [],
    degraded: ['⚠', '🟡', 'warning', 'degraded', 'limited', 'partially operational'],
    failed: [],
  },
};

/** `key=value` anywhere in the line, in any order, quoted or bare. */
const has = (key: string, group: string, value: string): string =>
  `(?=.*?\\b(?:${key})="?(?<${group}>${value})"?)`;
const may = (key: string, group: string, value: string): string => `(?:${has(key, group, value)}|)`;
const number = String.raw`\d+(?:\.\d+)?`;
const word = String.raw`(?<=")[^"]+|[^\s",]+`;
const secondsKeys =
  'seconds|secs|duration|duration_s|duration_seconds|elapsed|elapsed_s|elapsed_seconds|took|time_s';
const msKeys = 'ms|duration_ms|durationMs|elapsed_ms|elapsedMs|took_ms|time_ms';
/** Go's and others' writers put the unit behind the number. */
const duration = `${number}(?:\\s?(?:ms|µs|us|s|m)\\b)?`;
const durations = may(secondsKeys, 'seconds', duration) + may(msKeys, 'ms', number);

/** A rule for lines that hold one of the words: a long word tells more lines apart than the letter they share. */
const withAnyOf = (words: readonly string[], rule: LineRule): LineRule[] =>
  words.map((contains) => ({ ...rule, contains }));

/** `phase=NAME seconds=N`, `system=NAME status=up`, as logfmt writers print them. */
const keyValue: Format = {
  name: 'key-value',
  lines: [
    {
      says: 'phase-completed',
      pattern: `^${has('phase', 'name', word)}${durations}${has('status|state|outcome', 'status', word)}`,
      contains: 'phase=',
    },
    {
      says: 'phase-completed',
      pattern: `^${has('phase', 'name', word)}${has(secondsKeys, 'seconds', duration)}`,
      contains: 'phase=',
    },
    {
      says: 'phase-completed',
      pattern: `^${has('phase', 'name', word)}${has(msKeys, 'ms', number)}`,
      contains: 'phase=',
    },
    { says: 'phase-started', pattern: `^${has('phase', 'name', word)}`, contains: 'phase=' },
    ...withAnyOf(['status=', 'state='], {
      says: 'system',
      pattern: `^${has('system|component', 'name', word)}${has('status|state', 'status', word)}${may('detail|message|msg', 'detail', word)}`,
    }),
    {
      says: 'complete',
      pattern: `^(?=.*\\b(?:startup|event)="?(?:completed?|startup[._-]completed?)"?(?:[\\s,]|$))${may('total|total_seconds|seconds', 'seconds', number)}`,
      contains: 'startup',
    },
    ...withAnyOf(['startup_total=', 'startup_seconds=', 'total_seconds='], {
      says: 'total',
      pattern: `\\b(?:startup_total|startup_seconds|total_seconds)=(?<seconds>${number})s?(?:\\s|$)`,
    }),
  ],
  json: [],
};

const jsonDurations = {
  seconds:
    'seconds|duration_seconds|durationSeconds|duration_s|duration_sec|elapsed_seconds|elapsedSeconds|elapsed_s|elapsed|duration|took',
  ms: 'duration_ms|durationMs|duration_millis|durationMillis|elapsed_ms|elapsedMs|took_ms|tookMs|ms',
};
const phaseFields = {
  name: 'phase|name',
  status: 'status|state|outcome',
  detail: 'detail|error|reason',
  ...jsonDurations,
};
const systemFields = { status: 'status|state|health|healthy', detail: 'detail|details|message|msg' };
const totalFields = {
  seconds: `total_seconds|totalSeconds|total|${jsonDurations.seconds}`,
  ms: `total_ms|totalMs|${jsonDurations.ms}`,
};
/** The same fields inside an object, with those beside it as the fallback. */
const nested = (parent: string, fields: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).map(([part, keys]) => [
      part,
      `${keys
        .split('|')
        .map((key) => `${parent}.${key}`)
        .join('|')}|${keys}`,
    ]),
  );
const phaseSays = [
  ['phase.started', 'phase-started'],
  ['phase_started', 'phase-started'],
  ['phase.start', 'phase-started'],
  ['phase.completed', 'phase-completed'],
  ['phase_completed', 'phase-completed'],
  ['phase.failed', 'phase-failed'],
  ['phase_failed', 'phase-failed'],
  ['startup.phase', 'phase-completed'],
  ['startup_phase', 'phase-completed'],
  ['phase', 'phase-completed'],
] as const;
const eventKeys = ['event', 'type', 'event_type'];

/** Structured fields: `{event: 'phase', phase, seconds | duration_ms, status}` and its kin. */
const json: Format = {
  name: 'json',
  lines: [],
  json: [
    ...eventKeys.flatMap((key) =>
      phaseSays.map(([event, says]) => ({ says, where: { [key]: event }, fields: phaseFields })),
    ),
    ...[...Object.values(jsonDurations).flatMap((keys) => keys.split('|')), 'status', 'state'].map((key) => ({
      says: 'phase-completed' as const,
      where: { phase: '*', [key]: '*' },
      fields: { ...phaseFields, name: 'phase' },
    })),
    {
      says: 'phase-completed',
      where: { 'startup.phase': '*' },
      fields: nested('startup', { ...phaseFields, name: 'phase' }),
    },
    {
      says: 'system',
      where: { 'startup.system': '*' },
      fields: nested('startup', { ...systemFields, name: 'system' }),
    },
    ...eventKeys.flatMap((key) =>
      [
        'system',
        'startup.system',
        'startup_system',
        'system.status',
        'system_status',
        'health',
        'health_check',
      ].map((event) => ({
        says: 'system' as const,
        where: { [key]: event, status: '*' },
        fields: { name: 'system|component|check|name', ...systemFields },
      })),
    ),
    { says: 'system', where: { system: '*', status: '*' }, fields: { name: 'system', ...systemFields } },
    { says: 'system', where: { system: '*', healthy: '*' }, fields: { name: 'system', ...systemFields } },
    ...eventKeys.flatMap((key) =>
      ['startup.complete', 'startup_complete', 'startup.completed', 'startup_completed'].map((event) => ({
        says: 'complete' as const,
        where: { [key]: event },
        fields: totalFields,
      })),
    ),
    ...eventKeys.flatMap((key) =>
      ['startup.total', 'startup_total', 'total'].map((event) => ({
        says: 'total' as const,
        where: { [key]: event },
        fields: totalFields,
      })),
    ),
  ],
};

/** The lines in which frameworks say by themselves that the start is over; always read. */
export const frameworks: Format = {
  name: 'frameworks',
  lines: [
    // Spring Boot; Micronaut; Quarkus; Ktor; Tomcat.
    { says: 'complete', pattern: `\\bStarted \\w+ in ${seconds}`, contains: 'Started ' },
    { says: 'complete', pattern: 'Startup completed in (?<ms>\\d+)\\s?ms', contains: 'Startup completed' },
    { says: 'complete', pattern: `\\bstarted in ${seconds}\\. Listening on`, contains: 'started in' },
    { says: 'complete', pattern: `Application started in ${seconds}`, contains: 'Application started' },
    {
      says: 'complete',
      pattern: 'Server startup in \\[?(?<ms>\\d+)\\]?\\s?m',
      contains: 'Server startup in',
    },
    // uvicorn; .NET; NestJS; Next.js; hypercorn.
    { says: 'complete', pattern: 'Application startup complete\\b', contains: 'startup complete' },
    { says: 'complete', pattern: 'Application started\\. Press Ctrl', contains: 'Application started' },
    { says: 'complete', pattern: 'Nest application successfully started', contains: 'successfully started' },
    { says: 'complete', pattern: `^\\W*Ready in (?:${seconds}|(?<ms>\\d+)\\s?ms)`, contains: 'Ready in' },
    // Bound is not started: only where nothing better is known.
    {
      says: 'listening',
      pattern:
        '^\\W{0,8}(?:\\S+ +)*?(?:Uvicorn|Hypercorn|Now|Running|Puma|[Ss]erver|[Aa]pp|[Ss]ervice|API|http)\\b.{0,60}\\b(?:listening|running|started) (?:on|at)\\b:?(?: (?<detail>(?:port )?\\S+))?',
      contains: 'ing o',
    },
    {
      says: 'listening',
      pattern:
        '^(?:\\S+ ){0,4}(?:[Ss]erver |[Aa]pp |[Ss]ervice |API )?(?:is )?[Ll]istening(?: (?:on|at):? (?<detail>(?:port )?\\S+)|$)',
      contains: 'istening',
    },
    {
      says: 'listening',
      pattern: '^\\W*Running on (?:all addresses|(?<detail>https?:\\S+))',
      contains: 'Running on',
    },
  ],
  json: [],
};

/** Formats by the name that a config may use. */
export const presets: Readonly<Record<string, Format>> = {
  'field-report': fieldReport,
  'key-value': keyValue,
  json,
};

/** What `sluice startup` reads where the config names no format: all of them. */
export const defaultFormats: StartupFormats = Object.values(presets);
