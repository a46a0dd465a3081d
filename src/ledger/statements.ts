import { z } from 'zod';
import type { ObjectStore } from './object-store.ts';

/** Who said it, as git and the cloud's credentials tell; '' where one of them does not. */
const saidBySchema = z.object({ git: z.string(), account: z.string() });

/** A person's answer to a manual check, for one revision with one digest: a new revision voids it. */
const signatureSchema = z.object({
  v: z.literal(1),
  environment: z.string(),
  service: z.string(),
  /** The id of the manual check. */
  item: z.string(),
  outcome: z.enum(['passed', 'failed']),
  note: z.string(),
  by: saidBySchema,
  at: z.string(),
  revision: z.string(),
  digest: z.string(),
});

/** A person's approval of what a release made, for its promotion. */
const approvalSchema = z.object({
  v: z.literal(1),
  release: z.string(),
  note: z.string(),
  by: saidBySchema,
  at: z.string(),
});

export type SaidBy = z.infer<typeof saidBySchema>;
export type Signature = z.infer<typeof signatureSchema>;
export type Approval = z.infer<typeof approvalSchema>;

/** What people said beside the releases. Each statement is an object of its own, written once. */
export type Statements = {
  sign(signature: Signature): Promise<void>;
  /** Oldest first; unreadable ones are left out. */
  signatures(of: { environment: string; service: string }): Promise<Signature[]>;
  approve(approval: Approval): Promise<void>;
  approvals(release: string): Promise<Approval[]>;
};

export function openStatements(store: ObjectStore): Statements {
  return {
    sign: (signature) => add(store, signaturesOf(signature), signature),
    signatures: (of) => readAll(store, signaturesOf(of), signatureSchema),
    approve: (approval) => add(store, `approvals/${approval.release}`, approval),
    approvals: (release) => readAll(store, `approvals/${release}`, approvalSchema),
  };
}

function signaturesOf({ environment, service }: { environment: string; service: string }): string {
  return `signatures/${environment}/${service}`;
}

const attempts = 100;

/** `FOLDER/000001.json`, `FOLDER/000002.json`, …: two who write at once get two numbers. */
async function add(store: ObjectStore, folder: string, statement: object): Promise<void> {
  const taken = (await store.list(`${folder}/`)).length;
  for (let number = taken + 1; number <= taken + attempts; number += 1) {
    const name = `${folder}/${String(number).padStart(6, '0')}.json`;
    const outcome = await store.create(name, Buffer.from(`${JSON.stringify(statement, null, 2)}\n`));
    if (outcome !== 'exists') return;
  }
  throw new Error(`nothing could be written to ${store.where(folder)}: every name is taken`);
}

async function readAll<S extends z.ZodType>(
  store: ObjectStore,
  folder: string,
  schema: S,
): Promise<z.infer<S>[]> {
  const names = await store.list(`${folder}/`);
  const found = await Promise.all(names.map((name) => store.read(name)));
  return found.flatMap((object) => {
    const parsed = object && parse(schema, object.bytes);
    return parsed === undefined ? [] : [parsed];
  });
}

function parse<S extends z.ZodType>(schema: S, bytes: Uint8Array): z.infer<S> | undefined {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
