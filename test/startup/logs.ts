import type { LogEntry, Severity } from '../../src/cloud/ports/logs.ts';
import { defaultFormats } from '../../src/startup/presets.ts';
import type { RevisionProfile } from '../../src/startup/profile.ts';
import { createStartupReader, type StartupSignal } from '../../src/startup/reader.ts';

type Written = string | Record<string, unknown>;
type Where = {
  severity?: Severity;
  log?: string;
  instance?: string;
  revision?: string;
  service?: string;
  from?: number;
};

const start = Date.parse('2026-03-01T10:00:00Z');

/** An entry per line, 10 ms apart, as Cloud Run's collector makes them. */
export function entries(lines: readonly Written[], where: Where = {}): LogEntry[] {
  return lines.map((line, index) => {
    const at = (where.from ?? 0) * 1000 + index * 10;
    return {
      insertId: `id-${String(at).padStart(9, '0')}-${where.instance ?? 'i1'}`,
      timestamp: new Date(start + at).toISOString(),
      severity: where.severity ?? 'DEFAULT',
      log: where.log ?? 'run.googleapis.com/stderr',
      service: where.service ?? 'shop',
      revision: where.revision ?? 'shop-00001-abc',
      instance: where.instance ?? 'i1',
      payload: typeof line === 'string' ? { kind: 'text', text: line } : { kind: 'json', json: line },
      trace: '',
    };
  });
}

/** Cloud Run's own lines. */
export const system = (lines: readonly string[], where: Where = {}): LogEntry[] =>
  entries(lines, { log: 'run.googleapis.com/varlog/system', ...where });

export const probePassed =
  'Default STARTUP TCP probe succeeded after 1 attempt for container "shop-1" on port 8080.';

export function read(all: readonly LogEntry[]): { profile: RevisionProfile; signals: StartupSignal[] } {
  const reader = createStartupReader({ formats: defaultFormats });
  const signals = all.flatMap((entry) => reader.push(entry));
  const [profile] = reader.report().revisions;
  if (!profile) throw new Error('no revision was read');
  return { profile, signals };
}
