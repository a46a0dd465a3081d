import stripAnsi from 'strip-ansi';

/** No more of a line is looked at. */
const maxLine = 4096;
/** No more of one entry is looked at: room for a long traceback. */
const maxText = 64 * 1024;
const maxCause = 400;

const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const hasControls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

/** The text's lines, bounded, without escape sequences; `[U+2705]`, as some loggers write, is its character. */
export function linesOf(text: string): readonly string[] {
  const bounded = text.length > maxText ? text.slice(0, maxText) : text;
  if (!bounded.includes('\n')) return [plain(bounded)];
  return bounded.split('\n').map(plain);
}

/** One line as patterns see it. */
function plain(line: string): string {
  let out = line.length > maxLine ? line.slice(0, maxLine) : line;
  if (hasControls.test(out)) out = stripAnsi(out).replace(controls, '');
  if (out.includes('[U+')) out = out.replace(/\[U\+([0-9A-F]{4,5})\]/g, codePoint);
  return out;
}

const codePoint = (whole: string, hex: string): string => {
  const code = Number.parseInt(hex, 16);
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code > 0x1faff ? whole : String.fromCodePoint(code);
};

const decoration =
  /^(?:[\s=*#>|•✓✗-]|\p{Extended_Pictographic}|\ufe0f|(?:PASS|FAIL|WARNING|CRITICAL|ERROR): )+/u;
/** What loggers put before the message: times, process ids, levels. */
const prefix =
  /^(?:\[[^\]]{0,60}\]\s*|\d{4}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}:\d{2}\S*\s+|(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL)\b:?\s+)+/;
const logfmt = /\b(?:level|lvl)=\S+ .*?\bmsg="((?:[^"\\]|\\.)*)"/;
/** Spaces that are not single ones, and perhaps escaped ones. */
const untidy = /\s\s|[^\S ]|\\/;
const passwordInUrl = /(:\/\/[^\s:@/]*:)[^\s@/]+@/g;

/** A line as a cause: no decoration, no password, one line, bounded. */
export function asCause(line: string): string {
  const seen = plain(line).trimStart();
  const spoken = (logfmt.exec(seen)?.[1] ?? seen).replace(prefix, '').replace(decoration, '');
  const bare = (untidy.test(spoken) ? spoken.replace(/(?:\s|\\n|\\t)+/g, ' ') : spoken).trim();
  const safe = bare.includes('://') ? bare.replace(passwordInUrl, '$1***@') : bare;
  return safe.length > maxCause ? `${safe.slice(0, maxCause - 1)}…` : safe;
}

/** Lines that differ only in numbers and ids are one finding. */
export function asKey(cause: string): string {
  return cause.replace(/\b(?=[0-9a-f-]*\d)[0-9a-f-]{8,}\b|\d+(?:\.\d+)?/gi, '#').slice(0, 200);
}

/** Nothing that has to be taken out of it, split or unescaped. */
const isPlain = /^[\t -[\]-~]*$/;

/** The lines of what a logger wrote. */
export function writtenLines(text: string): readonly string[] {
  const asIs = text.length <= maxLine && isPlain.test(text) && !text.includes('[U+');
  return asIs ? [text] : linesOf(unescapeNewlines(text));
}

/** Some loggers write a traceback's line ends as two characters. */
function unescapeNewlines(text: string): string {
  return text.includes('\\n') && !text.includes('\n') && /Traceback|\\n\s+at |Caused by/.test(text)
    ? text.replaceAll('\\n', '\n').replaceAll('\\t', '\t')
    : text;
}
