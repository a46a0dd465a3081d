import type { Diagnosis } from './diagnose.ts';
import type { Noted } from './findings.ts';
import { toFinding } from './findings.ts';
import { diagnoseChain, type Instance } from './instance.ts';
import type { Fact } from './interpret.ts';
import type { Finding, Phase, System } from './profile.ts';
import type { Revision } from './revision.ts';
import { compareTimes, type Sighting } from './time.ts';

/** What one entry newly made known. */
export type StartupSignal = { revision: string } & (
  | { kind: 'phase'; phase: Phase }
  | { kind: 'system'; system: System }
  | { kind: 'total'; seconds: number }
  /** For the first time, or more severe than before. */
  | { kind: 'finding'; finding: Finding }
  /** Bad news that decides at once. */
  | { kind: 'fatal'; finding: Finding }
  | { kind: 'probe-passed' }
  | { kind: 'complete' }
);

type Place = { revision: Revision; instance: Instance; sighting: Sighting; signals: StartupSignal[] };

/** Adds an entry's facts to what is known. */
export function apply(
  facts: readonly Fact[],
  revision: Revision,
  instance: Instance,
  sighting: Sighting,
): StartupSignal[] {
  const place: Place = { revision, instance, sighting, signals: [] };
  for (const fact of facts) applyOne(fact, place);
  return place.signals;
}

function applyOne(fact: Fact, place: Place): void {
  const { revision, instance, sighting, signals } = place;
  const { at } = sighting;
  const name = revision.name;
  switch (fact.says) {
    case 'phase': {
      const phase = instance.progress.phase(fact, sighting);
      if (phase) signals.push({ kind: 'phase', revision: name, phase });
      return;
    }
    case 'system': {
      const system = instance.progress.system(fact, at);
      if (system) signals.push({ kind: 'system', revision: name, system });
      return;
    }
    case 'total':
      total(fact.seconds, place);
      return;
    case 'complete':
      if (fact.seconds !== null) total(fact.seconds, place);
      instance.completedAt = later(instance.completedAt, at);
      signals.push({ kind: 'complete', revision: name });
      return;
    case 'listening':
      instance.listeningAt = later(instance.listeningAt, at);
      if (fact.address !== '') instance.listens(fact.address, sighting);
      return;
    case 'stopping':
      instance.stoppingAt = later(instance.stoppingAt, at);
      return;
    case 'starting':
      return;
    case 'probe-passed':
      signals.push({ kind: 'probe-passed', revision: name });
      return;
    case 'ready':
      revision.readyTrueAt = later(revision.readyTrueAt, at);
      return;
    case 'exit':
      exit(fact.code, fact.diagnosis, place);
      return;
    case 'trouble':
      if ('readyFalse' in fact && fact.readyFalse) revision.readyFalseAt = later(revision.readyFalseAt, at);
      note(fact.diagnosis, fact.diagnosis.fatal ? 'fatal' : 'error', place);
      return;
    case 'answered':
      if (revision.answered === null || fact.path < revision.answered) revision.answered = fact.path;
      return;
    case 'found':
      note(fact.diagnosis, fact.severity, place);
      return;
    case 'trace':
      trace(fact.pieces, place);
      return;
    case 'sql-socket':
      if (revision.sqlSocket === null || fact.path < revision.sqlSocket) revision.sqlSocket = fact.path;
      return;
    case 'words':
      instance.saidLast(fact.text, sighting);
      return;
  }
}

function total(seconds: number, { revision, instance, sighting, signals }: Place): void {
  if (instance.totalled(sighting.at, seconds))
    signals.push({ kind: 'total', revision: revision.name, seconds });
}

function exit(code: number, diagnosis: Diagnosis, place: Place): void {
  const { revision, instance, sighting, signals } = place;
  instance.exited({ ...sighting, code });
  note(diagnosis, code === 0 ? 'error' : 'fatal', place);
  announceChains(place);
  if (code === 0 && instance.completion === null) {
    const finding = toFinding({
      ...diagnosis,
      severity: 'fatal',
      count: 1,
      first: sighting,
      last: sighting,
      entries: [sighting],
    });
    signals.push({ kind: 'fatal', revision: revision.name, finding });
  }
}

function note(diagnosis: Diagnosis, severity: Finding['severity'], place: Place): void {
  const { instance, sighting } = place;
  const noted = instance.findings.note(diagnosis, severity, sighting);
  if (severity === 'fatal' && diagnosis.category !== 'exit') {
    instance.fatalAt = later(instance.fatalAt, sighting.at);
    // Behind what the entry itself shows of a trace.
    if (diagnosis.category === 'error')
      instance.traces.add({ ...sighting, index: Number.MAX_SAFE_INTEGER, said: { kind: 'end' } });
  }
  if (noted) announce(noted, place);
}

function trace(pieces: Extract<Fact, { says: 'trace' }>['pieces'], place: Place): void {
  const { instance, sighting } = place;
  let added = false;
  for (const [index, said] of pieces.entries())
    added = instance.traces.add({ ...sighting, index, said }) || added;
  if (added) announceChains(place);
}

/** Traces grow by entries: what they show is told again only when it became worse or other. */
function announceChains(place: Place): void {
  for (const chain of place.instance.traces.changes()) {
    const [first] = chain.sightings;
    const diagnosis = diagnoseChain(chain);
    if (!first) continue;
    const last = chain.sightings.at(-1) ?? first;
    announce(
      {
        ...diagnosis,
        severity: diagnosis.fatal ? 'fatal' : 'error',
        count: 1,
        first,
        last,
        entries: [...chain.sightings],
      },
      place,
    );
  }
}

function announce(noted: Noted, { revision, signals }: Place): void {
  if (!revision.announce(noted.key, noted.severity)) return;
  const finding = toFinding(noted);
  signals.push({ kind: 'finding', revision: revision.name, finding });
  if (noted.severity === 'fatal') signals.push({ kind: 'fatal', revision: revision.name, finding });
}

const later = (known: string | null, at: string): string =>
  known === null || compareTimes(at, known) > 0 ? at : known;
