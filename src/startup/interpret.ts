import type { LogEntry } from '../cloud/ports/logs.ts';
import { type Aside, asidesOf } from './asides.ts';
import { chainsOf } from './chains.ts';
import { type Diagnosis, diagnose, tiers, undiagnosed } from './diagnose.ts';
import type { StartupFact } from './facts.ts';
import type { Severity } from './findings.ts';
import { diagnoseChain } from './instance.ts';
import type { Level } from './levels.ts';
import type { LineMatcher } from './lines.ts';
import { type Message, messageOf } from './message.ts';
import { isPlatformLog, type PlatformFact, platformFact } from './platform.ts';
import { asCause } from './text.ts';
import { type Said, tokensOf } from './traceback.ts';
import { accessFact, requestFact, type TrafficFact } from './traffic.ts';

/** What one entry says, by itself. */
export type Fact =
  | StartupFact
  | PlatformFact
  | TrafficFact
  | { says: 'found'; diagnosis: Diagnosis; severity: Severity }
  | { says: 'trace'; pieces: readonly Said[] }
  | Aside
  | { says: 'words'; text: string };

const none: readonly Fact[] = Object.freeze([]);
/** A line of source code that a trace shows, and what npm prints behind the failure itself. */
const echoed =
  /^\s*(?:throw|raise|const|let|var|return|await) .*|^\s*\d+ \|.*|^npm (?:ERR!|error)(?:\s*$|\s+(?:A complete log of|To see a list of|Lifecycle script|workspace|location|path|command|npm run| {2}).*)/;
/** The line itself says how the service does without. */
const gotOver =
  /\b(?:using (?:an? |the )?(?:default|fallback|in-memory|local)|fall(?:s|ing)? back|default(?:s|ing)? to|(?:continuing|running) without)\b/i;
/** Lines of one entry that are looked at. */
const maxLines = 400;
/** Lines of one entry that may each be a finding. */
const maxFound = 8;

export function interpret(entry: LogEntry, matcher: LineMatcher): readonly Fact[] {
  const message = messageOf(entry);
  if (entry.request) return one(requestFact(entry.request, message.lines[0] ?? ''));
  if (isPlatformLog(entry.log)) return one(platformFact(message.lines[0] ?? '', message.level));
  return spoken(entry, message, matcher);
}

const one = (fact: Fact | undefined): readonly Fact[] => (fact ? [fact] : none);

/** What the service itself wrote. */
function spoken(entry: LogEntry, message: Message, matcher: LineMatcher): readonly Fact[] {
  const facts: Fact[] = [];
  const { level, lines, fields } = message;
  const structured = fields && matcher.ofFields(fields);
  if (structured) facts.push(structured, ...failureOf(structured, level));
  const others: string[] = [];
  for (const line of lines.length > maxLines ? lines.slice(0, maxLines) : lines) {
    if (line === '') continue;
    const holdsWord = matcher.holdsWord(line);
    const fact = structured ? undefined : matcher.ofLine(line, holdsWord);
    if (fact) facts.push(fact, ...failureOf(fact, level));
    else others.push(line);
    if (holdsWord) facts.push(...asidesOf(line));
  }
  const [first] = others;
  const access = first === undefined ? undefined : accessFact(first);
  if (access) facts.push(access);
  else if (first !== undefined && !(structured && (level === 'info' || facts.some(isFound))))
    facts.push(...troubles(entry, message, others));
  return facts.length === 0 ? none : facts;
}

const isFound = (fact: Fact): boolean => fact.says === 'found';

/** A failed phase or system is a finding too: what its line says of the reason, else that it failed. */
function failureOf(fact: StartupFact, level: Level): Fact[] {
  if (fact.says === 'phase' && fact.state === 'failed') {
    const known = diagnose(fact.detail);
    const cause =
      fact.detail === ''
        ? `Phase ${asCause(fact.name)} failed`
        : `Phase ${asCause(fact.name)} failed: ${asCause(fact.detail)}`;
    const phase: Diagnosis = {
      category: 'phase',
      key: `phase|${fact.name}`,
      cause,
      hint: 'See the findings of the same time for the reason.',
      fatal: false,
      tier: tiers.phase,
    };
    return [
      { says: 'found', diagnosis: phase, severity: 'error' },
      ...(known ? [found(known, 'error')] : []),
    ];
  }
  if (fact.says !== 'system' || fact.status === 'healthy') return [];
  const failed = fact.status === 'failed';
  const cause = asCause(`${fact.name} is ${fact.status}${fact.detail === '' ? '' : `: ${fact.detail}`}`);
  const system: Diagnosis = {
    category: 'system',
    key: `system|${fact.name}|${fact.status}`,
    cause,
    hint: 'See what its own lines say of its initialisation.',
    fatal: false,
    tier: tiers.system,
  };
  return [found(system, failed || level === 'error' ? 'error' : 'warning')];
}

function troubles(entry: LogEntry, message: Message, lines: readonly string[]): Fact[] {
  const { level } = message;
  const quiet = level === 'info';
  const pieces = quiet && entry.payload.kind !== 'text' ? [] : tokensOf(lines);
  const facts: Fact[] = [];
  if (pieces.length > 0 && !(quiet && pieces.every(isPlain))) facts.push({ says: 'trace', pieces });
  if (quiet) return facts;
  const traced = pieces.some((said) => said.kind !== 'field');
  const attached = attachedError(message);
  if (attached) facts.push(found(attached, level));
  for (const fact of diagnosed(message, lines, traced || attached !== undefined)) {
    if (!(attached && fact.says === 'found' && fact.diagnosis.key === attached.key)) facts.push(fact);
  }
  if (level === 'unknown' || level === 'error' || level === 'critical')
    facts.push({ says: 'words', text: lines.at(-1) ?? '' });
  return facts;
}

/** Words of a line that tells of no trouble by itself. */
const isPlain = (said: Said): boolean =>
  said.kind === 'field' || said.kind === 'member' || (said.kind === 'exception' && !said.uncaught);

/** The innermost exception of the error that the logger attached. */
function attachedError(message: Message): Diagnosis | undefined {
  if (message.stack.length === 0) return undefined;
  const [chain] = chainsOf(tokensOf(message.stack));
  const text = chain ? undefined : message.stack.find((line) => line.trim() !== '');
  if (chain) return diagnoseChain(chain);
  return text === undefined ? undefined : diagnose(text);
}

/** What the lines show; a traced entry's lines only where the table knows them. */
function diagnosed(message: Message, lines: readonly string[], traced: boolean): Fact[] {
  const { level } = message;
  const facts: Fact[] = [];
  const keys = new Set<string>();
  for (const line of lines) {
    // Of a trace, the joined chain speaks; its frames show code, not what happened.
    if (echoed.test(line) || (traced && (/^\s/.test(line) || tokensOf([line]).length > 0))) continue;
    const known = diagnose(line);
    if (!known || keys.has(known.key) || keys.size >= maxFound) continue;
    const overcome = gotOver.test(line);
    if (overcome && known.category === 'setting' && level === 'unknown') continue;
    keys.add(known.key);
    facts.push(found(known, overcome ? 'warning' : level));
  }
  if (facts.length > 0 || traced || level === 'unknown') return facts;
  const line = lines.find((text) => asCause(text) !== '' && !echoed.test(text));
  if (line === undefined) return facts;
  return [
    found(
      undiagnosed(withError(line, message), level === 'warning' ? 'warning' : 'error', level === 'fatal'),
      level,
    ),
  ];
}

/** Go's loggers put the error's text, without a trace, beside the message. */
function withError(line: string, { stack, fields }: Message): string {
  const [error] = stack;
  if (error === undefined || stack.length > 1 || line.includes(error)) return line;
  return fields?.['err'] === error || fields?.['error'] === error ? `${line}: ${error}` : line;
}

function found(diagnosis: Diagnosis, level: Level | Severity): Fact {
  if (level === 'warning')
    return { says: 'found', diagnosis: { ...diagnosis, fatal: false }, severity: 'warning' };
  // PostgreSQL's clients print the server's FATAL for each refused connection.
  const ends = diagnosis.fatal || (level === 'fatal' && !diagnosis.cause.includes('FATAL: '));
  return { says: 'found', diagnosis: { ...diagnosis, fatal: ends }, severity: ends ? 'fatal' : 'error' };
}
