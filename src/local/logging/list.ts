import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RowKey } from './columns.ts';
import { FilterError } from './filter/lexer.ts';
import { inProjects } from './search.ts';
import type { EntryStore } from './store.ts';
import { invalid, type listLogsSchema, type listSchema, toWire } from './wire.ts';

const defaultPageSize = 50;
const maxPageSize = 1000;
/** Some 50 ms of reading. */
const maxRead = 10_000;
/** gRPC clients take 4 MiB a message unless told otherwise. */
export const maxResponseCharacters = 2 * 1024 * 1024;

export function listEntries(store: EntryStore, request: z.output<typeof listSchema>): object {
  const { pageSize, pageToken, filter, orderBy, resourceNames } = request;
  const projects = projectsOf(resourceNames);
  const question = understood(() => store.question(projects, filter));
  const descending = readOrder(orderBy);
  if (pageSize < 0) throw invalid('page_size must be positive');
  const query = createHash('sha256')
    .update(JSON.stringify([resourceNames, filter, descending]))
    .digest('base64url');
  const after = pageToken === '' ? undefined : decodeToken(pageToken, query);

  const { entries, last } = store.search({
    ...{ question, descending, after, maxRead },
    limit: Math.min(pageSize || defaultPageSize, maxPageSize),
    maxBytes: maxResponseCharacters,
  });
  return { entries: entries.map(toWire), nextPageToken: last ? encodeToken(last, query) : '' };
}

export function listLogs(store: EntryStore, request: z.output<typeof listLogsSchema>): object {
  const isWanted = inProjects(
    projectsOf(request.resourceNames.length > 0 ? request.resourceNames : [request.parent]),
  );
  const names = store.logNames().filter((logName) => isWanted({ logName }) && logName > request.pageToken);
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

/** A filter that cannot be understood is the caller's. */
export function understood<T>(read: () => T): T {
  try {
    return read();
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
  after: z.object({ seconds: z.number(), nanos: z.number(), insertId: z.string(), logName: z.string() }),
});

/** A page ends at an entry, so what is written or forgotten meanwhile shifts nothing. */
function encodeToken(after: RowKey, query: string): string {
  return Buffer.from(JSON.stringify({ query, after })).toString('base64url');
}

function decodeToken(token: string, query: string): RowKey {
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
