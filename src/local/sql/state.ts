import path from 'node:path';
import { z } from 'zod';
import { openSnapshot, type Snapshot } from '../snapshot.ts';

const instanceSchema = z.object({
  /** The name of its folder; another instance of the same name has another one. */
  id: z.string(),
  project: z.string(),
  region: z.string(),
  name: z.string(),
  databaseVersion: z.string(),
  state: z.enum(['PENDING_CREATE', 'RUNNABLE', 'FAILED']),
  createTime: z.string(),
  settings: z.record(z.string(), z.unknown()),
  settingsVersion: z.int(),
  /** What Postgres keeps of the password of `postgres`, until it has it. */
  rootVerifier: z.string().optional(),
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

const stateSchema = z.object({ instances: z.array(instanceSchema), operations: z.array(operationSchema) });
export type SqlState = Snapshot<z.infer<typeof stateSchema>>;

export function openSqlState(home: string): SqlState {
  return openSnapshot(path.join(home, 'sql.json'), stateSchema, { instances: [], operations: [] });
}

const keptOperations = 200;

/** Remembers an operation; the oldest that have ended go. */
export function addOperation({ value }: SqlState, operation: SqlOperation): void {
  value.operations.push(operation);
  const excess = value.operations.length - keptOperations;
  const ended = value.operations.filter(({ endTime }) => endTime !== undefined);
  const gone = new Set(ended.slice(0, Math.max(0, excess)));
  value.operations = value.operations.filter((each) => !gone.has(each));
}
