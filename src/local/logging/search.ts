import type { Columns, Place, RowKey } from './columns.ts';
import type { Dictionaries } from './dictionary.ts';
import type { StoredEntry } from './entry.ts';
import type { Plan } from './filter/plan.ts';
import type { Timeline } from './timeline.ts';
import { type Timestamp, toProto } from './timestamp.ts';

/** A filter over the logs of projects, and what it says of entries by what they have in common. */
export type Question = { plan: Plan; judge(channel: number, resource: number): Verdict };

export type Query = {
  question: Question;
  descending: boolean;
  /** Continue behind this entry, whether or not it is still there. */
  after?: RowKey | undefined;
  limit: number;
  /** How much the entries of a page may take on disk; one is always given. */
  maxBytes: number;
  /** Nobody else is served meanwhile, so a page may end after so many entries were looked at, as Google's do. */
  maxRead: number;
};

/** `last`: where the search ended when there is more to look at. */
export type Page = { entries: StoredEntry[]; last?: RowKey };

/** What a search looks into. */
export type Log = {
  columns: Columns;
  timeline: Timeline;
  /** undefined: the line is damaged. */
  read(place: Place): StoredEntry | undefined;
};

/** Reads only the entries that the question does not rule out. */
export function search({ columns, timeline, read }: Log, query: Query): Page {
  const { question, limit, maxBytes, maxRead } = query;
  const { first, end, step } = placesOf(timeline, query);
  const entries: StoredEntry[] = [];
  let bytes = 0;
  let looked = 0;
  for (let place = first; place !== end; place += step) {
    const row = timeline.rowAt(place);
    const verdict = question.judge(columns.channelOf(row), columns.resourceOf(row));
    if (verdict === 'no') continue;
    if (entries.length >= limit || bytes >= maxBytes || looked >= maxRead)
      return { entries, last: columns.keyOf(timeline.rowAt(place - step)) };
    looked += 1;
    const line = columns.placeOf(row);
    const entry = read(line);
    if (!entry || (verdict === 'perhaps' && !question.plan.matches(entry))) continue;
    entries.push(entry);
    bytes += line.length;
  }
  return { entries };
}

type Verdict = 'yes' | 'no' | 'perhaps';

/**
 * Asks the plan once about each channel, about each resource and, where that does not settle it, about both together.
 * Projects are `projects/P`.
 */
export function makeQuestion(
  { channels, resources }: Dictionaries,
  projects: readonly string[],
  plan: Plan,
): Question {
  const isWanted = inProjects(projects);
  const ofChannel = memo((number): Verdict => {
    const channel = channels.at(number);
    return channel && !isWanted(channel) ? 'no' : verdict(plan.decide({ ...channel }));
  });
  const ofResource = memo((number): Verdict => {
    const resource = resources.at(number);
    return verdict(plan.decide(resource ? { resource } : {}));
  });
  const ofBoth = memo((channel) =>
    memo((number): Verdict => {
      const resource = resources.at(number);
      return verdict(plan.decide({ ...channels.at(channel), ...(resource && { resource }) }));
    }),
  );
  return {
    plan,
    judge(channel, resource) {
      const first = ofChannel(channel);
      if (first === 'no') return first;
      const second = ofResource(resource);
      if (second !== 'perhaps') return second;
      return first === 'yes' ? first : ofBoth(channel)(resource);
    },
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
function placesOf(timeline: Timeline, { question: { plan }, descending, after }: Query) {
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
