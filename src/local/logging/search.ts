import type { Columns, Place, RowKey } from './columns.ts';
import type { StoredEntry } from './entry.ts';
import type { Plan } from './filter/plan.ts';
import type { Stream, Streams } from './streams.ts';
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
  streams: Streams;
  columns: Columns;
  timeline: Timeline;
  /** undefined: the line is damaged. */
  read(place: Place): StoredEntry | undefined;
};

/** The clock is looked at once in so many rows. */
const rowsPerLook = 64;

/** Reads only the entries of those streams that the plan does not rule out. */
export function search({ streams, columns, timeline, read }: Log, query: Query): Page {
  const { plan, limit, maxBytes } = query;
  const judge = judgeOf(streams, query);
  const deadline = performance.now() + query.maxMs;
  const { first, end, step } = placesOf(timeline, query);
  const entries: StoredEntry[] = [];
  let bytes = 0;
  for (let place = first, visited = 1; place !== end; place += step, visited += 1) {
    const row = timeline.rowAt(place);
    const verdict = judge(columns.streamOf(row));
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

/** Asks the plan about each stream once. */
function judgeOf(streams: Streams, { projects, plan }: Query): (stream: number) => Verdict {
  const isWanted = inProjects(projects);
  const verdicts = new Array<Verdict | undefined>(streams.count);
  const ask = (stream: Stream): Verdict => {
    const decided = isWanted(stream) && plan.decide(stream);
    return decided === undefined ? 'perhaps' : decided ? 'yes' : 'no';
  };
  return (number) => {
    verdicts[number] ??= ask(streams.at(number));
    return verdicts[number];
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
