/** A line of a stack trace that says something about causes; frames say nothing and are not kept. */
export type Said =
  | { kind: 'begin' }
  | { kind: 'link' }
  | { kind: 'exception'; text: string; uncaught: boolean }
  | { kind: 'cause'; text: string }
  /** An indented exception inside of another's account: a member of an aggregate. */
  | { kind: 'member'; text: string }
  /** A field that a validation found wrong: it stands alone in its line, after the count of errors. */
  | { kind: 'field'; name: string }
  /** The process, or its start, ended here. */
  | { kind: 'end' };

const worthIt =
  /Traceback|During handling|The above exception|Error|Exception|Caused by:|cause\]?:|--->|^panic:|^\tpanic:|^fatal error:|panicked at|^(?:Node\.js|Bun) v|Unhandled|Uncaught|PHP |^\*\* \(|\): |\)$|^\s*\+-\+-|^[A-Za-z_][\w.]*$/;
/** Python draws the members of an exception group with a margin. */
const margin = /^\s+[|+] (?=\S)/;
const fieldName = /^[A-Za-z_][\w.]{0,79}$/;

const dotted = String.raw`(?:[A-Za-z_$][\w$]*(?:\.|::|\\))*`;
const exceptionLine = new RegExp(
  `^(${dotted}(?:[A-Z_][\\w$]*)?(?:Error|Exception|ImproperlyConfigured|SystemExit|NotFound|DoesNotExist|Timeout|Refused|Failure|Invalid|NotEstablished|ConnectionBad))(?: \\[[A-Z_]+\\]| \\(0x[0-9A-Fa-f]+\\))?(?:: ?(.*))?$`,
);
const ruby = /^\S+:\d+:in [`'].*?': (.*) \(([A-Z][\w:]*)\)$/;
const wrapped =
  /^(?:\W*|.{0,80}?)\b(?:[Uu]ncaught|[Uu]nhandled)(?:[ _]?[Pp]romise)?[ _]?(?:[Ee]xception|[Rr]ejection|[Ee]rror)?(?:Warning)?\b(?: at:? .*? reason)?[:.]?\s+(.+)$/;
const inThread = /^Exception in thread "[^"]*" (.+)$/;
const panicked = /^thread '([^']*)'(?: \(\d+\))? panicked at (?:'(.*)', )?(\S+)$/;
const php = /^(?:PHP )?(?:Fatal|Parse) error:\s+(?:Uncaught )?(.+)$/;
const elixir = /^\*\* \(([\w.]+)\) (.+)$/;

/** What the lines of one entry say of exceptions. Python's final line is known by standing unindented after its frames. */
export function tokensOf(lines: readonly string[]): readonly Said[] {
  const out: Said[] = [];
  let inPython = false;
  for (let at = 0; at < lines.length; at += 1) {
    const line = (lines[at] ?? '').replace(margin, '');
    const said: Said | undefined =
      inPython && /^[A-Za-z_]/.test(line)
        ? pythonEnd(line)
        : worthIt.test(line)
          ? tokenOf(line, lines[at + 1])
          : undefined;
    if (!said) continue;
    inPython = said.kind === 'begin';
    out.push(said);
  }
  return out;
}

const pythonEnd = (text: string): Said => ({ kind: 'exception', text, uncaught: false });

function tokenOf(line: string, next: string | undefined): Said | undefined {
  if (line.endsWith('Traceback (most recent call last):')) return { kind: 'begin' };
  if (line.startsWith('During handling of the above') || line.startsWith('The above exception was'))
    return { kind: 'link' };
  if (/^(?:Node\.js|Bun) v\d/.test(line)) return { kind: 'end' };
  if (/^\s*\+-\+-/.test(line)) return { kind: 'link' };
  if (fieldName.test(line) && !exceptionLine.test(line)) return { kind: 'field', name: line };
  const trimmed = line.trim();
  if (trimmed === 'Caused by:' && next !== undefined && /^\s+\S/.test(next))
    return { kind: 'cause', text: next.trim().replace(/^\d+: /, '') };
  const cause = /^(?:Caused by: |\[?cause\]?: |---> )(.+?)(?: \{)?$/.exec(trimmed)?.[1];
  if (cause !== undefined) return { kind: 'cause', text: cause.replace(/^\(Inner Exception #\d+\) /, '') };
  return uncaughtOf(line, next) ?? plainException(line);
}

function uncaughtOf(line: string, next: string | undefined): Said | undefined {
  const uncaught = (text: string): Said => ({ kind: 'exception', text, uncaught: true });
  if (line.startsWith('panic: ') || line.startsWith('fatal error: '))
    return uncaught(line.replace(/ \[recovered\]$/, ''));
  if (line.startsWith('\tpanic: ')) return { kind: 'link' };
  const thread = inThread.exec(line)?.[1];
  if (thread !== undefined) return uncaught(thread);
  const rust = panicked.exec(line);
  if (rust) return uncaught(`thread '${rust[1]}' panicked: ${rust[2] ?? (next?.trim() || `at ${rust[3]}`)}`);
  const rb = ruby.exec(line);
  if (rb) return uncaught(`${rb[2]}: ${rb[1]}`);
  const phpError = php.exec(line)?.[1];
  if (phpError !== undefined) return uncaught(phpError);
  const reason = /^\[UnhandledPromiseRejection: .* reason "(.*?)"\.?\]/.exec(line)?.[1];
  if (reason !== undefined) return uncaught(`UnhandledPromiseRejection: ${reason}`);
  const ex = elixir.exec(line);
  if (ex) return uncaught(ex[1] === 'Mix' ? (ex[2] ?? '') : `${ex[1]}: ${ex[2]}`);
  const wrappedText = wrapped.exec(line)?.[1];
  return wrappedText !== undefined && exceptionLine.test(wrappedText) ? uncaught(wrappedText) : undefined;
}

function plainException(line: string): Said | undefined {
  const text = line.endsWith(' {') ? line.slice(0, -2) : line;
  if (exceptionLine.test(text)) return { kind: 'exception', text, uncaught: false };
  const member = /^\s/.test(text) ? text.trim() : '';
  return exceptionLine.test(member) ? { kind: 'member', text: member } : undefined;
}
