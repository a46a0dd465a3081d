import { type Chain, Traces } from './chains.ts';
import { type Diagnosis, diagnose, undiagnosed } from './diagnose.ts';
import { FindingBook } from './findings.ts';
import { Progress } from './progress.ts';
import { asCause } from './text.ts';
import { compareSightings, compareTimes, type Sighting } from './time.ts';

const maxExits = 64;

export type Exit = Sighting & { code: number };

/** By itself, or as Cloud Run asks for when it stops an instance: 128 + SIGTERM. */
const isOrderly = (code: number): boolean => code === 0 || code === 143;

/** All that is known of one instance's start. Facts may come in any order. */
export class Instance {
  readonly progress = new Progress();
  readonly findings = new FindingBook();
  readonly traces = new Traces();
  readonly exits: Exit[] = [];
  total: { at: string; seconds: number } | null = null;
  completedAt: string | null = null;
  listeningAt: string | null = null;
  /** Where it listens, as it said last. */
  listensOn: (Sighting & { address: string }) | null = null;
  /** When it was last asked to stop, or said that it would. */
  stoppingAt: string | null = null;
  /** The latest line that ends a start. */
  fatalAt: string | null = null;
  firstAt: string;
  /** The last line of its own. */
  lastWords: (Sighting & { text: string }) | null = null;

  constructor(firstAt: string) {
    this.firstAt = firstAt;
  }

  /** When it said that it had started; that it listens counts only where no phase is known, or all are over. */
  get completion(): string | null {
    if (this.completedAt !== null || this.listeningAt === null) return this.completedAt;
    const { hasPhases, endedAt } = this.progress;
    const over = !hasPhases || (endedAt !== null && compareTimes(endedAt, this.listeningAt) <= 0);
    return over ? this.listeningAt : null;
  }

  /** An exit with 0 or by SIGTERM is bad only for a start that had not ended. */
  get badExits(): readonly Exit[] {
    const good = this.completion;
    return this.exits.filter(
      (exit) => !isOrderly(exit.code) || good === null || compareTimes(exit.at, good) < 0,
    );
  }

  seen(at: string): void {
    if (compareTimes(at, this.firstAt) < 0) this.firstAt = at;
  }

  saidLast(text: string, sighting: Sighting): void {
    if (this.lastWords === null || compareSightings(sighting, this.lastWords) > 0)
      this.lastWords = { ...sighting, text };
  }

  listens(address: string, sighting: Sighting): void {
    if (this.listensOn === null || compareSightings(sighting, this.listensOn) > 0)
      this.listensOn = { ...sighting, address };
  }

  exited(exit: Exit): void {
    if (this.exits.length < maxExits) this.exits.push(exit);
    this.traces.add({ ...exit, index: 0, said: { kind: 'end' } });
  }

  totalled(at: string, seconds: number): boolean {
    const before = this.total;
    if (before && (compareTimes(at, before.at) || seconds - before.seconds) <= 0) return false;
    this.total = { at, seconds };
    return before?.seconds !== seconds;
  }

  /** What was found by lines and by traces, together. */
  allFindings(): FindingBook {
    const book = new FindingBook();
    book.overflowed = this.findings.overflowed;
    for (const noted of this.findings.all) book.merge(noted, noted.severity);
    for (const chain of this.traces.chains) noteChain(book, chain);
    return book;
  }
}

/** A chain is one finding, at its innermost exception, seen in all of its entries. */
function noteChain(book: FindingBook, chain: Chain): void {
  const diagnosis = diagnoseChain(chain);
  const [first, ...rest] = chain.sightings;
  if (!first) return;
  const severity = diagnosis.fatal ? 'fatal' : 'error';
  const entries = [
    ...new Map([first, ...rest].map((sighting) => [`${sighting.at} ${sighting.id}`, sighting])).values(),
  ];
  const last = rest.at(-1) ?? first;
  book.merge({ ...diagnosis, severity, count: 1, first, last, entries }, severity);
}

export function diagnoseChain(chain: Chain): Diagnosis {
  const { innermost, all } = chain;
  const base = diagnose(innermost) ?? undiagnosedChain(innermost, all);
  const last = all.find((text) => text !== innermost && !text.includes(innermost));
  const hint = last === undefined ? base.hint : `${base.hint} Raised further as: ${asCause(last)}`;
  return { ...base, hint, fatal: base.fatal || chain.uncaught };
}

/** Its kind is that of the first exception around it that the table knows. */
function undiagnosedChain(innermost: string, all: readonly string[]): Diagnosis {
  const own = undiagnosed(innermost, 'exception', false);
  for (const text of all) {
    const outer = diagnose(text);
    if (outer && outer.category !== 'error')
      return { ...own, category: outer.category, hint: outer.hint, tier: outer.tier };
  }
  return own;
}
