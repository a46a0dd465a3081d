import { createHash } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';
import { type Collection, openCollection } from '../journal/collection.ts';
import type { Journal } from '../journal/journal.ts';
import { defaultServiceAccountOf, projectNumberOf } from '../project-number.ts';
import { readBody } from '../web/body.ts';
import type { WebEnv } from '../web/env.ts';
import { projectOf } from './projects.ts';

const accountSchema = z.object({
  email: z.string(),
  project: z.string(),
  displayName: z.string(),
  description: z.string(),
});
type Account = z.output<typeof accountSchema>;

const newAccountSchema = z.strictObject({
  accountId: z.string(),
  serviceAccount: z
    .strictObject({
      displayName: z.string().max(100).default(''),
      description: z.string().max(256).default(''),
    })
    .prefault({}),
});
const accountId = /^[a-z]([a-z0-9-]{4,28}[a-z0-9])$/;
/** Made by Google for every project, by its number. */
const googleMade = /^(\d+)(-compute@developer|@cloudbuild)\.gserviceaccount\.com$/;

/** `google.iam.admin.v1`: service accounts as names. None has keys, and none is asked what it may do. */
export function serviceAccountRoutes({ journal }: { journal: Journal }): Hono<WebEnv> {
  const accounts = openCollection({
    journal,
    name: 'service-accounts',
    schema: accountSchema,
    keyOf: ({ email }) => email,
  });
  const path = '/v1/projects/:project/serviceAccounts';
  return new Hono<WebEnv>()
    .get(path, (c) => {
      const project = projectOf(c);
      const own = [...accounts.values()].filter((one) => one.project === project);
      return c.json({ accounts: [googleMadeOf(project), ...own].map(resource) });
    })
    .post(path, async (c) => c.json(resource(await create(c, accounts))))
    .get(`${path}/:account{[^:]+}`, (c) => c.json(resource(find(c, accounts))))
    .delete(`${path}/:account{[^:]+}`, async (c) => {
      await accounts.delete(find(c, accounts).email);
      return c.json({});
    });
}

async function create(c: Context, accounts: Collection<Account>): Promise<Account> {
  const project = projectOf(c);
  const { accountId: id, serviceAccount } = await readBody(c, newAccountSchema);
  if (!accountId.test(id)) {
    throw new RpcError(
      status.INVALID_ARGUMENT,
      `Invalid service account ID "${id}": it has 6 to 30 lower case letters, digits and dashes, and begins with a letter.`,
    );
  }
  const email = `${id}@${project}.iam.gserviceaccount.com`;
  if (accounts.get(email)) {
    throw new RpcError(
      status.ALREADY_EXISTS,
      `Service account ${id} already exists within project projects/${project}.`,
    );
  }
  const account = { email, project, ...serviceAccount };
  await accounts.put(account);
  return account;
}

/** `-` asks for an account by its name alone. */
function find(c: Context, accounts: Collection<Account>): Account {
  const email = c.req.param('account') ?? '';
  const project = c.req.param('project') ?? '';
  const number = googleMade.exec(email)?.[1];
  if (number !== undefined && (project === '-' || projectNumberOf(project) === number))
    return { email, project: project === '-' ? number : project, displayName: '', description: '' };
  const account = accounts.get(email);
  if (account && (project === '-' || account.project === project)) return account;
  throw new RpcError(status.NOT_FOUND, `Unknown service account: ${email}`);
}

function googleMadeOf(project: string): Account {
  const displayName = 'Compute Engine default service account';
  return { email: defaultServiceAccountOf(project), project, displayName, description: '' };
}

function resource({ email, project, displayName, description }: Account) {
  const digits = createHash('sha256').update(email).digest('hex').slice(0, 16);
  return {
    name: `projects/${project}/serviceAccounts/${email}`,
    projectId: project,
    uniqueId: BigInt(`0x1${digits}`).toString(),
    email,
    ...(displayName && { displayName }),
    ...(description && { description }),
  };
}
