import { compareSightings, type Sighting } from './time.ts';
import type { Said } from './traceback.ts';

export type Token = Sighting & { index: number; said: Said };

/** Exceptions of one trace. */
export type Chain = {
  /** Outermost as printed last or first, by the language; `innermost` is the one that explains the others. */
  readonly innermost: string;
  readonly all: readonly string[];
  readonly uncaught: boolean;
  /** The entries that show it, oldest first. */
  readonly sightings: readonly Sighting[];
};

/** The earliest are kept: it is the start that is asked about. */
const maxTokens = 256;
/** Lines of one trace are no further apart. */
const joinMs = 5_000;
/** What the process died of stands no further before its end. */
const endMs = 30_000;

const countsFields = /\bvalidation errors? for \S+(?:: [\w., ]+)?$/;
const group = /\b(?:Aggregate\w*|ExceptionGroup)\b/;

/** Joins the pieces of one entry, in the order of its lines. */
export function chainsOf(pieces: readonly Said[]): readonly Chain[] {
  const walk = new Walk();
  for (const [index, said] of pieces.entries()) walk.take({ at: '', id: '', index, said });
  return walk.chains.filter(tellsAny);
}

/** Pieces of traces, joined as they come; one that comes late has them all joined anew. */
export class Traces {
  readonly #tokens: Token[] = [];
  #walk = new Walk();
  #stale = false;
  /** The first chain that changed since they were last told. */
  #changed = 0;

  /** False when there is no room for one so late. */
  add(token: Token): boolean {
    const last = this.#tokens.at(-1);
    const late = last !== undefined && byOrder(token, last) < 0;
    const full = this.#tokens.length >= maxTokens;
    if (full && !late) return false;
    if (late) this.#insert(token);
    else {
      this.#tokens.push(token);
      if (!this.#stale) this.#take(token);
    }
    if (full) this.#tokens.pop();
    return true;
  }

  get chains(): readonly Chain[] {
    this.#freshen();
    return this.#walk.chains.filter(tellsAny);
  }

  /** Chains that are new, or other than when they were last asked for. */
  changes(): readonly Chain[] {
    this.#freshen();
    const changed = this.#walk.chains.slice(this.#changed).filter(tellsAny);
    this.#changed = this.#walk.chains.length;
    return changed;
  }

  #insert(token: Token): void {
    let at = this.#tokens.length - 1;
    for (; at > 0; at -= 1) {
      const before = this.#tokens[at - 1];
      if (!before || byOrder(before, token) <= 0) break;
    }
    this.#tokens.splice(at, 0, token);
    this.#stale = true;
  }

  /** Only the last chain ever grows. */
  #take(token: Token): void {
    this.#walk.take(token);
    this.#changed = Math.max(0, Math.min(this.#changed, this.#walk.chains.length - 1));
  }

  #freshen(): void {
    if (!this.#stale) return;
    this.#walk = new Walk();
    for (const token of this.#tokens) this.#walk.take(token);
    this.#changed = 0;
    this.#stale = false;
  }
}

const byOrder = (a: Token, b: Token): number => compareSightings(a, b) || a.index - b.index;

/** Takes tokens in their order. */
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
    else if (token.said.kind === 'member') this.#open?.all.push(token.said.text);
    else this.#grow(token.said);
    this.#open?.sightings.push({ at: token.at, id: token.id });
  }

  /** `2 validation errors for Settings` says which only in the lines after it. */
  #field(name: string, { at, id }: Token): void {
    const text = this.#open?.all.at(-1);
    if (!this.#open || text === undefined || !countsFields.test(text)) return;
    this.#open.all[this.#open.all.length - 1] =
      `${text}${text.includes(': ', text.indexOf(' for ')) ? ',' : ':'} ${name}`;
    this.#open.sightings.push({ at, id });
  }

  #grow(said: Extract<Said, { kind: 'begin' | 'cause' | 'exception' }>): void {
    if (said.kind === 'begin') {
      const chain = this.#open && this.#linked ? this.#open : this.#start('first');
      chain.awaits = true;
    } else if (said.kind === 'cause') {
      (this.#open ?? this.#start('last')).all.push(said.text);
    } else {
      const chain = this.#open && (this.#open.awaits || this.#linked) ? this.#open : this.#start('last');
      chain.all.push(said.text);
      chain.awaits = false;
      chain.uncaught ||= said.uncaught;
    }
    this.#linked = false;
  }

  #start(innermostIs: 'first' | 'last'): Draft {
    const chain = new Draft(innermostIs);
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

/** A chain that may still grow. */
class Draft implements Chain {
  readonly all: string[] = [];
  readonly sightings: Sighting[] = [];
  uncaught = false;
  ended = false;
  /** A trace began whose exception is still to come. */
  awaits = false;
  readonly #innermostIs: 'first' | 'last';

  constructor(innermostIs: 'first' | 'last') {
    this.#innermostIs = innermostIs;
  }

  get innermost(): string {
    const inward = this.#innermostIs === 'first' ? this.all : [...this.all].reverse();
    return inward.find(tells) ?? inward[0] ?? '';
  }
}

const tellsAny = (chain: Chain): boolean => chain.all.length > 0;

function gap(chain: Chain, token: Token): number {
  const last = chain.sightings.at(-1);
  return last ? Date.parse(token.at) - Date.parse(last.at) : 0;
}

/** `asyncio.exceptions.CancelledError` alone, or a bare TimeoutError, explains nothing. */
const tells = (text: string): boolean =>
  /\S \S/.test(text) &&
  !group.test(text) &&
  !/^[\w.]*(?:CancelledError|GeneratorExit|StopIteration|StopAsyncIteration)\b/.test(text);
