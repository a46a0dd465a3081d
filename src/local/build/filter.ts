import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';
import { type Comparator, FilterError } from '../logging/filter/lexer.ts';
import { type Filter, parseFilter } from '../logging/filter/parser.ts';
import type { BuildRecord } from './record.ts';

export type BuildPredicate = (record: BuildRecord) => boolean;

/** What ListBuilds filters by; a field with several values matches when one of them does. */
const texts: Readonly<Record<string, (record: BuildRecord) => readonly string[]>> = {
  build_id: ({ id }) => [id],
  project_id: ({ project }) => [project],
  status: ({ status }) => [status],
  tags: ({ tags }) => tags,
  images: ({ wanted }) => wanted,
  'results.images.name': ({ images }) => images.map(({ name }) => name),
  'results.images.digest': ({ images }) => images.map(({ digest }) => digest),
  'source.storage_source.bucket': ({ source }) => (source ? [source.bucket] : []),
  'source.storage_source.object': ({ source }) => (source ? [source.object] : []),
};
const times: Readonly<Record<string, (record: BuildRecord) => number | undefined>> = {
  create_time: ({ createTime }) => createTime,
  start_time: ({ startTime }) => startTime,
  finish_time: ({ finishTime }) => finishTime,
};

/** Throws INVALID_ARGUMENT that names the field, or the place, that is not understood. */
export function compileBuildFilter(source: string): BuildPredicate {
  try {
    return compile(parseFilter(source));
  } catch (error) {
    if (error instanceof FilterError) throw refusedFilter(error.message);
    throw error;
  }
}

function compile(filter: Filter): BuildPredicate {
  switch (filter.kind) {
    case 'all':
      return () => true;
    case 'and': {
      const parts = filter.parts.map(compile);
      return (record) => parts.every((part) => part(record));
    }
    case 'or': {
      const parts = filter.parts.map(compile);
      return (record) => parts.some((part) => part(record));
    }
    case 'not': {
      const part = compile(filter.part);
      return (record) => !part(record);
    }
    case 'search':
      throw refusedFilter(`the local cloud cannot search builds for "${filter.text}"`);
    case 'words':
      throw refusedFilter(`the local cloud cannot search builds for "${filter.words.join(' ')}"`);
    case 'present':
      throw refusedFilter(`the local cloud cannot ask whether a build has ${filter.path.join('.')}`);
    case 'compare':
      return comparison(filter.path.join('.'), filter.comparator, filter.value);
  }
}

function comparison(field: string, comparator: Comparator, value: string): BuildPredicate {
  const read = Object.hasOwn(texts, field) ? texts[field] : undefined;
  if (read) {
    if (comparator === '=' || comparator === ':') return (record) => read(record).includes(value);
    if (comparator === '!=') return (record) => !read(record).includes(value);
    throw refusedFilter(`the local cloud does not compare ${field} by '${comparator}'`);
  }
  const time = Object.hasOwn(times, field) ? times[field] : undefined;
  if (!time) throw refusedFilter(`the local cloud does not filter builds by ${field}`);
  const than = Date.parse(value);
  if (Number.isNaN(than)) throw refusedFilter(`"${value}" is no time`);
  const holds = orderings[comparator];
  if (!holds) throw refusedFilter(`the local cloud does not compare ${field} by '${comparator}'`);
  return (record) => {
    const at = time(record);
    return at !== undefined && holds(at, than);
  };
}

const orderings: Partial<Record<Comparator, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function refusedFilter(why: string): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, `invalid filter: ${why}`);
}
