import type { SqlInstanceName } from '../../cloud-sql.ts';
import type { Call } from './call.ts';

/** `unusable`: it is there and cannot be used, e.g. a disabled version of a secret. */
export type Presence = { state: 'exists' } | { state: 'missing' | 'unusable'; why: string };

/** Asks whether what a service refers to is there; changes nothing, reads no secret's value. */
export type InventoryPort = {
  secretVersion(of: { project: string; secret: string; version: string }, call: Call): Promise<Presence>;
  serviceAccount(of: { project: string; email: string }, call: Call): Promise<Presence>;
  sqlInstance(of: SqlInstanceName, call: Call): Promise<Presence>;
};
