import type { StoredEntry } from '../entry.ts';
import { FilterError } from './lexer.ts';

/** How values of a field are compared. `json`: as the value at hand tells. */
export type FieldType = 'string' | 'number' | 'boolean' | 'time' | 'duration' | 'severity' | 'json';

/** An entry, or as much of it as is known. */
export type Facts = Partial<StoredEntry>;

export type Field = {
  type: FieldType;
  /** undefined: the entry does not have it. */
  read(entry: Facts): unknown;
};

type Schema = { [field: string]: FieldType | Schema };

/** LogEntry's own fields. A path that leads nowhere in it is an error; inside `json` any path may be. */
const schema: Schema = {
  logName: 'string',
  insertId: 'string',
  timestamp: 'time',
  receiveTimestamp: 'time',
  severity: 'severity',
  textPayload: 'string',
  jsonPayload: 'json',
  protoPayload: 'json',
  labels: 'json',
  resource: { type: 'string', labels: 'json' },
  trace: 'string',
  spanId: 'string',
  traceSampled: 'boolean',
  httpRequest: {
    requestMethod: 'string',
    requestUrl: 'string',
    requestSize: 'number',
    status: 'number',
    responseSize: 'number',
    userAgent: 'string',
    remoteIp: 'string',
    serverIp: 'string',
    referer: 'string',
    latency: 'duration',
    cacheLookup: 'boolean',
    cacheHit: 'boolean',
    cacheValidatedWithOriginServer: 'boolean',
    cacheFillBytes: 'number',
    protocol: 'string',
  },
  operation: { id: 'string', producer: 'string', first: 'boolean', last: 'boolean' },
  sourceLocation: { file: 'string', line: 'number', function: 'string' },
};

/** What a field of LogEntry's own counts as in a comparison when the entry does not have it. */
export const defaults: Readonly<Record<Exclude<FieldType, 'json'>, unknown>> = {
  string: '',
  number: 0,
  boolean: false,
  time: '',
  duration: '0s',
  severity: 'DEFAULT',
};

/** Filters may write `log_name` for `logName`. */
export function fieldName(segment: string): string {
  return segment.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function resolveField(path: string[], at: number): Field {
  const names: string[] = [];
  let here: FieldType | Schema = schema;
  for (const segment of path) {
    if (typeof here === 'object') {
      const name = fieldName(segment);
      const next: FieldType | Schema | undefined = Object.hasOwn(here, name) ? here[name] : undefined;
      if (next === undefined) throw new FilterError(`unknown field '${path.join('.')}'`, at);
      here = next;
      names.push(name);
    } else if (here === 'json') {
      names.push(segment);
    } else {
      throw new FilterError(`unknown field '${path.join('.')}'`, at);
    }
  }
  // A whole message (`httpRequest`) is searched like a payload.
  return { type: typeof here === 'object' ? 'json' : here, read: (entry) => readPath(entry, names) };
}

function readPath(entry: Facts, names: string[]): unknown {
  let here: unknown = entry;
  for (const name of names) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, name)) return undefined;
    here = Reflect.get(here, name);
  }
  return here;
}
