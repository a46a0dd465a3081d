import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EntryKey } from './entry.ts';
import { compileFilter, type Predicate } from './filter/evaluate.ts';
import { FilterError } from './filter/lexer.ts';
import type { EntryStore } from './store.ts';
import { invalid, type listLogsSchema, type listSchema, toWire } from './wire.ts';

const defaultPageSize = 50;
const maxPageSize = 1000;
/** gRPC clients take 4 MiB a message unless told otherwise. */
export const maxResponseCharacters = 2 * 1024 * 1024;

export function listEntries(store: EntryStore, request: z.output<typeof listSchema>): object {
  const { pageSize, pageToken, filter, orderBy, resourceNames } = request;
  const projects = projectsOf(resourceNames);
  const matches = readFilter(filter);
  const descending = readOrder(orderBy);
  if (pageSize < 0) throw invalid('page_size must be positive');
  const query = createHash('sha256')
    .update(JSON.stringify([resourceNames, filter, descending]))
    .digest('base64url');
  const after = pageToken === '' ? undefined : decodeToken(pageToken, query);

  const limit = Math.min(pageSize || defaultPageSize, maxPageSize);
  const page: object[] = [];
  let characters = 0;
  let last: EntryKey | undefined;
  for (const entry of store.query({ projects, matches, descending, ...(after && { after }) })) {
    const size = JSON.stringify(entry).length;
    if (page.length > 0 && (page.length === limit || characters + size > maxResponseCharacters)) {
      return { entries: page, nextPageToken: last ? encodeToken(last, query) : '' };
    }
    page.push(toWire(entry));
    characters += size;
    last = entry;
  }
  return { entries: page, nextPageToken: '' };
}

export function listLogs(store: EntryStore, request: z.output<typeof listLogsSchema>): object {
  const projects = projectsOf(request.resourceNames.length > 0 ? request.resourceNames : [request.parent]);
  const names = store.logNames(projects).filter((name) => name > request.pageToken);
  const page = names.slice(0, Math.min(request.pageSize || defaultPageSize, maxPageSize));
  return { logNames: page, nextPageToken: page.length < names.length ? page.at(-1) : '' };
}

/** Only projects hold logs here, with the one view of the one bucket that each has. */
export function projectsOf(resourceNames: string[]): string[] {
  if (resourceNames.length === 0) throw invalid('resource_names must be specified');
  if (resourceNames.length > 100) throw invalid('At most 100 resource_names are allowed');
  return resourceNames.map((name) => {
    if (!/^projects\/[^/]+(\/locations\/global\/buckets\/_Default\/views\/_(AllLogs|Default))?$/.test(name)) {
      throw invalid(`The local cloud has no logs of the resource '${name}'`);
    }
    return name.split('/').slice(0, 2).join('/');
  });
}

export function readFilter(filter: string): Predicate {
  try {
    return compileFilter(filter);
  } catch (error) {
    throw error instanceof FilterError ? invalid(error.message) : error;
  }
}

function readOrder(orderBy: string): boolean {
  const [field = 'timestamp', direction = 'asc', ...rest] = orderBy.trim() ? orderBy.trim().split(/\s+/) : [];
  if (field !== 'timestamp' || !/^(asc|desc)$/.test(direction) || rest.length > 0) {
    throw invalid(`order_by must be "timestamp asc" or "timestamp desc", not "${orderBy}"`);
  }
  return direction === 'desc';
}

const tokenSchema = z.object({
  query: z.string(),
  after: z.object({ timestamp: z.string(), insertId: z.string(), logName: z.string() }),
});

/** A page ends at an entry, so what is written or forgotten meanwhile shifts nothing. */
function encodeToken({ timestamp, insertId, logName }: EntryKey, query: string): string {
  return Buffer.from(JSON.stringify({ query, after: { timestamp, insertId, logName } })).toString(
    'base64url',
  );
}

function decodeToken(token: string, query: string): EntryKey {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    throw invalid('page_token is invalid');
  }
  const parsed = tokenSchema.safeParse(decoded);
  if (!parsed.success) throw invalid('page_token is invalid');
  if (parsed.data.query !== query) throw invalid('page_token does not match the arguments of this request');
  return parsed.data.after;
}
