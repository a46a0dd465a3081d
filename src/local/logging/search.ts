import type { Columns, Place, RowKey } from './columns.ts';
import type { Dictionaries } from './dictionary.ts';
import type { StoredEntry } from './entry.ts';
import type { Plan } from './filter/plan.ts';
import type { Timeline } from './timeline.ts';
import { type Timestamp, toProto } from './timestamp.ts';

export type Query = {
  /** `projects/P`: entries of other projects are not seen. */
  projects: readonly string[];
  plan: Plan;
  descending: boolean;
  /** Continue behind this entry, whether or not it is still there. */
  after?: RowKey | undefined;
  limit: number;
  /** How much the entries of a page may take on disk; one is always given. */
  maxBytes: number;
  /** Nobody else is served meanwhile, so a long search ends with a page that is not full. */
  maxMs: number;
};

/** `last`: where the search ended when there is more to look at. */
export type Page = { entries: StoredEntry[]; last?: RowKey };

/** What a search looks into. */
export type Log = {
  dictionaries: Dictionaries;
  columns: Columns;
  timeline: Timeline;
  /** undefined: the line is damaged. */
  read(place: Place): StoredEntry | undefined;
};

/** The clock is looked at once in so many rows. */
const rowsPerLook = 64;

/** Reads only the entries that the plan does not rule out by their log, severity and resource. */
export function search({ dictionaries, columns, timeline, read }: Log, query: Query): Page {
  const { plan, limit, maxBytes } = query;
  const judge = judgeOf(dictionaries, query);
  const deadline = performance.now() + query.maxMs;
  const { first, end, step } = placesOf(timeline, query);
  const entries: StoredEntry[] = [];
  let bytes = 0;
  for (let place = first, visited = 1; place !== end; place += step, visited += 1) {
    const row = timeline.rowAt(place);
    const verdict = judge(columns.channelOf(row), columns.resourceOf(row));
    const full = verdict !== 'no' && (entries.length >= limit || bytes >= maxBytes);
    if (full || (visited % rowsPerLook === 0 && performance.now() > deadline))
      return { entries, last: columns.keyOf(timeline.rowAt(place - step)) };
    if (verdict === 'no') continue;
    const line = columns.placeOf(row);
    const entry = read(line);
    if (!entry || (verdict === 'perhaps' && !plan.matches(entry))) continue;
    entries.push(entry);
    bytes += line.length;
  }
  return { entries };
}

type Verdict = 'yes' | 'no' | 'perhaps';

/** Asks the plan about each channel once, about each resource, and where that does not settle it about both together. */
function judgeOf({ channels, resources }: Dictionaries, { projects, plan }: Query) {
  const isWanted = inProjects(projects);
  const ofChannel = memo((number): Verdict => {
    const channel = channels.at(number);
    return channel && !isWanted(channel) ? 'no' : verdict(plan.decide({ ...channel }));
  });
  const ofResource = memo((number): Verdict => {
    const resource = resources.at(number);
    return verdict(plan.decide(resource ? { resource } : {}));
  });
  const both = new Map<number, Verdict>();
  const ofBoth = (channel: number, resource: number): Verdict => {
    const key = channel * resources.count + resource;
    const known = both.get(key);
    if (known) return known;
    const facts = resources.at(resource);
    const found = verdict(plan.decide({ ...channels.at(channel), ...(facts && { resource: facts }) }));
    both.set(key, found);
    return found;
  };
  return (channel: number, resource: number): Verdict => {
    const first = ofChannel(channel);
    if (first === 'no') return first;
    const second = ofResource(resource);
    if (second !== 'perhaps') return second;
    return first === 'yes' ? first : ofBoth(channel, resource);
  };
}

function verdict(decided: boolean | undefined): Verdict {
  if (decided === undefined) return 'perhaps';
  return decided ? 'yes' : 'no';
}

function memo<T>(make: (number: number) => T): (number: number) => T {
  const made: T[] = [];
  return (number) => {
    made[number] ??= make(number);
    return made[number];
  };
}

/** Does an entry belong to one of these `projects/P`? */
export function inProjects(projects: readonly string[]): (entry: Pick<StoredEntry, 'logName'>) => boolean {
  const prefixes = projects.map((project) => `${project}/logs/`);
  return ({ logName }) => prefixes.some((prefix) => logName.startsWith(prefix));
}

/** The places to visit, from `first` by `step` until `end`, which is none of them. */
function placesOf(timeline: Timeline, { plan, descending, after }: Query) {
  let low = plan.from === undefined ? 0 : timeline.lowerBound(instant(plan.from));
  let high = plan.to === undefined ? timeline.count : timeline.lowerBound(instant(plan.to, 1));
  if (after && descending) high = Math.min(high, timeline.lowerBound(after));
  if (after && !descending) low = Math.max(low, timeline.upperBound(after));
  high = Math.max(low, high);
  return descending ? { first: high - 1, end: low - 1, step: -1 } : { first: low, end: high, step: 1 };
}

/** Before every key of this time, or of so many nanoseconds later. */
function instant(time: Timestamp, later = 0): RowKey {
  const { seconds, nanos } = toProto(time);
  return { seconds, nanos: nanos + later, insertId: '', logName: '' };
}
