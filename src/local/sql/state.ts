import { z } from 'zod';
import { type Collection, openCollection } from '../journal/collection.ts';
import type { Journal } from '../journal/journal.ts';

const instanceSchema = z.object({
  /** The name of its folder; a later instance of the same name has another one. */
  id: z.string(),
  project: z.string(),
  region: z.string(),
  name: z.string(),
  databaseVersion: z.string(),
  state: z.enum(['PENDING_CREATE', 'RUNNABLE', 'FAILED']),
  createTime: z.string(),
  settings: z.record(z.string(), z.unknown()),
  /** What Postgres keeps of the password of `postgres`, until it has it. */
  rootVerifier: z.string().optional(),
  /** The operation that makes it, while it does. */
  creation: z.string().optional(),
});
export type Instance = z.infer<typeof instanceSchema>;

const operationSchema = z.object({
  name: z.string(),
  project: z.string(),
  instance: z.string(),
  type: z.enum([
    'CREATE',
    'DELETE',
    'CREATE_DATABASE',
    'DELETE_DATABASE',
    'CREATE_USER',
    'UPDATE_USER',
    'DELETE_USER',
  ]),
  insertTime: z.string(),
  endTime: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type SqlOperation = z.infer<typeof operationSchema>;

export type SqlState = { instances: Collection<Instance>; operations: Collection<SqlOperation> };

export const keyOf = ({ project, name }: { project: string; name: string }) => `${project}/${name}`;

export function openSqlState(journal: Journal): SqlState {
  const operations = { name: 'sqlOperations', schema: operationSchema };
  return {
    instances: openCollection({ journal, name: 'sqlInstances', schema: instanceSchema, keyOf }),
    operations: openCollection({ journal, ...operations, keyOf: ({ name }) => name }),
  };
}

const keptOperations = 200;

/** Remembers an operation; of too many the oldest that has ended goes. */
export async function keepOperation({ operations }: SqlState, operation: SqlOperation): Promise<void> {
  const full = operations.size >= keptOperations && !operations.get(operation.name);
  const oldest = full ? [...operations.values()].find(({ endTime }) => endTime) : undefined;
  await Promise.all([operations.put(operation), oldest && operations.delete(oldest.name)]);
}
