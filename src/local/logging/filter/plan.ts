import { parseTimestamp, type Timestamp } from '../timestamp.ts';
import { compile, type Predicate } from './evaluate.ts';
import { type Facts, fieldName } from './fields.ts';
import { type Filter, parseFilter } from './parser.ts';

/** A filter as the store uses it. */
export type Plan = {
  matches: Predicate;
  /** What the filter says of every entry with these whole fields; undefined: that depends on the others. */
  decide(known: Facts): boolean | undefined;
  /** Outside of these, themselves included, nothing matches. */
  from?: Timestamp;
  to?: Timestamp;
};

/** Throws a FilterError. */
export function planFilter(source: string): Plan {
  const filter = parseFilter(source);
  return { matches: compile(filter), decide: decider(filter), ...timeRange(filter) };
}

type Decider = Plan['decide'];

/** Kleene's logic. */
function decider(filter: Filter): Decider {
  switch (filter.kind) {
    case 'all':
      return () => true;
    case 'and':
      return settledBy(false, filter.parts.map(decider));
    case 'or':
      return settledBy(true, filter.parts.map(decider));
    case 'not': {
      const part = decider(filter.part);
      return (known) => {
        const decided = part(known);
        return decided === undefined ? undefined : !decided;
      };
    }
    case 'words':
    case 'search': {
      const found = compile(filter);
      return (known) => found(known) || undefined;
    }
    default:
      return comparisonDecider(filter);
  }
}

/** One part with this value settles it; otherwise it takes all of them. */
function settledBy(value: boolean, parts: readonly Decider[]): Decider {
  return (known) => {
    let open = false;
    for (const part of parts) {
      const decided = part(known);
      if (decided === value) return value;
      open ||= decided === undefined;
    }
    return open ? undefined : !value;
  };
}

function comparisonDecider(filter: Filter & { kind: 'compare' | 'present' }): Decider {
  const matches = compile(filter);
  const field = fieldName(filter.path[0] ?? '');
  return (known) => (field in known ? matches(known) : undefined);
}

/** Of the comparisons that every match must pass. */
function timeRange(filter: Filter): Pick<Plan, 'from' | 'to'> {
  const range: Pick<Plan, 'from' | 'to'> = {};
  for (const part of conjuncts(filter)) {
    if (part.kind !== 'compare' || part.path.join('.') !== 'timestamp') continue;
    const time = parseTimestamp(part.value);
    if (time === undefined) continue;
    const { comparator } = part;
    if (/^[>=]=?$/.test(comparator) && time > (range.from ?? '')) range.from = time;
    if (/^[<=]=?$/.test(comparator) && (range.to === undefined || time < range.to)) range.to = time;
  }
  return range;
}

function conjuncts(filter: Filter): Filter[] {
  return filter.kind === 'and' ? filter.parts.flatMap(conjuncts) : [filter];
}
