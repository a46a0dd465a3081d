/**
 * How a framework's startup lines look, as data. Patterns are RegExp sources with named groups, matched
 * against one line of an entry's message; `json` rules read structured fields instead.
 */
export type LineRule = {
  /** What a matching line says. */
  says:
    | 'phase-started'
    | 'phase-completed'
    | 'phase-failed'
    | 'phase-timing'
    | 'system'
    | 'total'
    | 'complete'
    | 'listening';
  /** Groups: name, seconds, ms, status, detail. */
  pattern: string;
  flags?: string;
  /** A word every matching line holds: lines without it are passed over before the pattern is tried. */
  contains?: string;
  /** The name, where the line has none of its own. */
  name?: string;
};

export type JsonRule = {
  says: LineRule['says'];
  /** Dotted field → exact value or, with `*`, any value: all must hold. */
  where: Record<string, string>;
  /** Which dotted field carries what; `a|b` takes the first that is there. */
  fields: { name?: string; seconds?: string; ms?: string; status?: string; detail?: string };
};

export type Format = {
  name: string;
  lines: LineRule[];
  json: JsonRule[];
  /** Words that a `status` group or field may hold, by what they mean (lower case). */
  statusWords?: { healthy: string[]; degraded: string[]; failed: string[] };
};

export type StartupFormats = Format[];
