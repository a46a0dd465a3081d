import { z } from 'zod';
import { LocalCloudError } from './errors.ts';
import { type Fault, type FaultSpec, faultSchema, faultsSchema } from './faults/fault.ts';
import { ask, findServer } from './launcher.ts';

const refusalSchema = z.object({ error: z.object({ message: z.string() }) });

export type AddedFault = { added: true; fault: Fault } | { added: false; why: string };

/** Arms a fault in the local cloud that runs in this home, which says what makes no sense. */
export async function addFault(home: string, spec: FaultSpec): Promise<AddedFault> {
  const server = await findServer(home);
  if (!server) return { added: false, why: 'The local cloud does not run.' };
  const { ok, answer } = await ask(server, 'POST', '/local/faults', spec);
  if (ok) return { added: true, fault: faultSchema.parse(answer) };
  return { added: false, why: refusalSchema.parse(answer).error.message };
}

/** None where no local cloud runs: faults do not outlive it. */
export async function listFaults(home: string): Promise<Fault[]> {
  return askForFaults(home, 'GET', '/local/faults');
}

/** Those that are gone now: the one with this id, or all. */
export async function clearFaults(home: string, id?: string): Promise<Fault[]> {
  const path = id === undefined ? '/local/faults' : `/local/faults/${encodeURIComponent(id)}`;
  return askForFaults(home, 'DELETE', path);
}

async function askForFaults(home: string, method: string, path: string): Promise<Fault[]> {
  const server = await findServer(home);
  if (!server) return [];
  const { ok, answer } = await ask(server, method, path);
  if (ok) return faultsSchema.parse(answer).faults;
  throw new LocalCloudError({
    what: 'The local cloud that runs knows no faults: it is of another version.',
    next: ['sluice local start'],
  });
}
