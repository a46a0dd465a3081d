import { byWeight, type Noted } from './findings.ts';
import type { Instance } from './instance.ts';
import type { Revision } from './revision.ts';
import { asCause } from './text.ts';
import { compareTimes } from './time.ts';

/** Uncaught ones and those of an explaining kind first; of equals the one nearest to the end. */
export function rootOf(findings: readonly Noted[]): Noted | undefined {
  const exits = findings.filter((noted) => noted.category === 'exit');
  const candidates = findings.filter(
    (noted) =>
      noted.severity === 'fatal' ||
      (noted.severity === 'error' && (noted.tier <= 5 || noted.category === 'exit')),
  );
  const [root] = [...candidates].sort(
    (a, b) =>
      weight(a, exits, findings) - weight(b, exits, findings) ||
      compareTimes(b.last.at, a.last.at) ||
      byWeight(a, b),
  );
  return root && (fullerThan(root, candidates) ?? root);
}

/** A plain error line explains an end only where something ended; an exit explains that nobody listened. */
function weight(noted: Noted, exits: readonly Noted[], all: readonly Noted[]): number {
  const explaining = noted.tier <= 2;
  if (explaining) return noted.fatal ? noted.tier - 0.5 : noted.tier;
  if (noted.category === 'exit' && !all.some((other) => brought(other, noted))) return 5.5;
  return noted.category === 'error' && !noted.fatal && exits.length === 0 ? 6.5 : noted.tier;
}

/** An exit and the probe that it fails are told within this time of each other, in any order. */
const togetherMs = 2_000;

/** Cloud Run ended the container because nothing had answered. */
function brought(probe: Noted, exit: Noted): boolean {
  const slack = /signal|137|143/.test(exit.cause) ? 0 : togetherMs;
  return probe.category === 'port' && Date.parse(probe.first.at) + slack < Date.parse(exit.first.at);
}

/** The line that says the same at more length: loggers print the details, and the exception only their title. */
function fullerThan(root: Noted, candidates: readonly Noted[]): Noted | undefined {
  const title = root.cause.replace(/^[\w.]*(?:Error|Exception): /, '');
  return candidates.find(
    (other) =>
      other.category === root.category &&
      other.cause.length > root.cause.length &&
      other.cause.startsWith(title),
  );
}

/** The root cause ends the start, whatever it was logged as, and says what only other lines know. */
export function explain(root: Noted, revision: Revision, instances: readonly Instance[]): void {
  root.severity = 'fatal';
  const socket = revision.sqlSocket;
  if (root.category === 'database' && socket !== null && !root.cause.includes('/cloudsql/')) {
    root.cause = `${root.cause} (Cloud SQL socket ${socket})`;
  }
  const elsewhere = root.category === 'port' ? listensElsewhere(root.cause, instances) : undefined;
  if (elsewhere !== undefined) root.cause = `${root.cause}; it listens on ${elsewhere}`;
  if (root.category !== 'exit') return;
  const words = instances.flatMap((instance) =>
    instance.exits.length > 0 && instance.lastWords ? [instance.lastWords] : [],
  );
  const last = words.sort((a, b) => compareTimes(b.at, a.at))[0];
  if (last) root.cause = `${root.cause}; its last line: ${asCause(last.text)}`;
}

/** Where the newest instance says that it listens, when that is not where Cloud Run looks. */
function listensElsewhere(cause: string, instances: readonly Instance[]): string | undefined {
  const said = instances
    .flatMap(({ listensOn }) => (listensOn ? [listensOn] : []))
    .sort((a, b) => compareTimes(b.at, a.at))[0];
  if (!said) return undefined;
  const address = asCause(said.address).replace(/^port |[.,;)]+$/g, '');
  const wanted = /\bport (\d+)/.exec(cause)?.[1];
  const local = /\b(?:127\.0\.0\.1|localhost)\b|\[::1\]/.test(address);
  return local || (wanted !== undefined && !new RegExp(`(?:^|\\D)${wanted}\\b`).test(address))
    ? address
    : undefined;
}
