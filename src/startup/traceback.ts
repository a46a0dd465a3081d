import { compareSightings, type Sighting } from './time.ts';

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

export type Token = Sighting & { index: number; said: Said };

export type Chain = {
  /** Outermost as printed last or first, by the language; `innermost` is the one that explains the others. */
  innermost: string;
  all: readonly string[];
  uncaught: boolean;
  /** The entries that show it, oldest first. */
  sightings: readonly Sighting[];
};

const worthIt =
  /Traceback|During handling|The above exception|Error|Exception|Caused by:|cause\]?:|--->|^panic:|^\tpanic:|^fatal error:|panicked at|^(?:Node\.js|Bun) v|Unhandled|Uncaught|PHP |^\*\* \(|\): |\)$|^\s*\+-\+-|^[A-Za-z_][\w.]*$/;
/** Python draws the members of an exception group with a margin. */
const margin = /^\s+[|+] (?=\S)/;
const fieldName = /^[A-Za-z_][\w.]{0,79}$/;
const countsFields = /\bvalidation errors? for \S+(?:: [\w., ]+)?$/;
const group = /\b(?:Aggregate\w*|ExceptionGroup)\b/;

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

/** Lines of one trace are no further apart. */
const joinMs = 5_000;
/** What the process died of stands no further before its end. */
const endMs = 30_000;

/** Joins tokens, in the order of their entries, into chains of exceptions. */
export function chainsOf(tokens: readonly Token[]): readonly Chain[] {
  const walk = new Walk();
  for (const token of [...tokens].sort((a, b) => compareSightings(a, b) || a.index - b.index))
    walk.take(token);
  return walk.chains.filter((chain) => chain.texts.length > 0).map(finish);
}

class Walk {
  readonly chains: Draft[] = [];
  #open: Draft | undefined;
  /** A line said that the next trace belongs to the open one. */
  #linked = false;

  take(token: Token): void {
    if (this.#open && gap(this.#open, token) > joinMs) this.#open = undefined;
    if (token.said.kind === 'field') {
      this.#field(token.said.name, token);
      return;
    }
    if (token.said.kind === 'end') this.#end(token);
    else if (token.said.kind === 'link') this.#linked = this.#open !== undefined;
    else if (token.said.kind === 'member') this.#open?.texts.push(token.said.text);
    else this.#grow(token.said);
    this.#open?.sightings.push({ at: token.at, id: token.id });
  }

  /** `2 validation errors for Settings` says which only in the lines after it. */
  #field(name: string, { at, id }: Token): void {
    const text = this.#open?.texts.at(-1);
    if (!this.#open || text === undefined || !countsFields.test(text)) return;
    this.#open.texts[this.#open.texts.length - 1] =
      `${text}${text.includes(': ', text.indexOf(' for ')) ? ',' : ':'} ${name}`;
    this.#open.sightings.push({ at, id });
  }

  #grow(said: Extract<Said, { kind: 'begin' | 'cause' | 'exception' }>): void {
    if (said.kind === 'begin') {
      const chain = this.#open && this.#linked ? this.#open : this.#start('first');
      chain.awaits = true;
    } else if (said.kind === 'cause') {
      (this.#open ?? this.#start('last')).texts.push(said.text);
    } else {
      const chain = this.#open && (this.#open.awaits || this.#linked) ? this.#open : this.#start('last');
      chain.texts.push(said.text);
      chain.awaits = false;
      chain.uncaught ||= said.uncaught;
    }
    this.#linked = false;
  }

  #start(innermostIs: Draft['innermostIs']): Draft {
    const chain: Draft = {
      innermostIs,
      texts: [],
      sightings: [],
      uncaught: false,
      ended: false,
      awaits: false,
    };
    this.chains.push(chain);
    this.#open = chain;
    return chain;
  }

  /** The process died of the chain before, if that stands near. */
  #end(token: Token): void {
    const last = this.chains.at(-1);
    if (last && !last.ended && gap(last, token) <= endMs) last.uncaught = true;
    if (last) last.ended = true;
    this.#open = undefined;
  }
}

type Draft = {
  innermostIs: 'first' | 'last';
  texts: string[];
  sightings: Sighting[];
  uncaught: boolean;
  ended: boolean;
  awaits: boolean;
};

function gap(chain: Draft, token: Token): number {
  const last = chain.sightings.at(-1);
  return last ? Date.parse(token.at) - Date.parse(last.at) : 0;
}

function finish({ innermostIs, texts, sightings, uncaught }: Draft): Chain {
  const inward = innermostIs === 'first' ? texts : [...texts].reverse();
  return { innermost: inward.find(tells) ?? inward[0] ?? '', all: texts, uncaught, sightings };
}

/** `asyncio.exceptions.CancelledError` alone, or a bare TimeoutError, explains nothing. */
const tells = (text: string): boolean =>
  /: \S/.test(text) &&
  !group.test(text) &&
  !/^[\w.]*(?:CancelledError|GeneratorExit|StopIteration|StopAsyncIteration)\b/.test(text);
