import { once as emitted } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AuthClient, GoogleAuth } from 'google-auth-library';
import { errorMessage } from '../errors.ts';
import { Secret } from '../secret.ts';
import { buildAdapter } from './build-adapter.ts';
import { once, untilAborted } from './call.ts';
import { cloudError } from './errors.ts';
import { type Answer, boundedBytes, httpFailure } from './http-failure.ts';
import { googleIdentity, localIdentity } from './identity.ts';
import type { GetJson } from './inventory-adapter.ts';
import { localRegistry } from './local-gaps.ts';
import { logsAdapter } from './logs-adapter.ts';
import type { Cloud } from './ports/index.ts';
import { provisionAdapter } from './provision-adapter.ts';
import { runAdapter } from './run-adapter.ts';
import { secretsAdapter } from './secrets.ts';
import type { Session } from './session.ts';
import { storageAdapter } from './storage-adapter.ts';
import { Waiting } from './waiting.ts';

const scopes = ['https://www.googleapis.com/auth/cloud-platform'];
const credentialsMs = 15_000;
/** Of the APIs that are asked one question. */
const maxAnswerBytes = 1024 * 1024;
/** Retries are ours alone: see retry.ts. */
const storageRetries = { autoRetry: false, maxRetries: 0 };

/** Google Cloud with Application Default Credentials; without them it throws `unauthenticated` here and now. */
export async function connectGoogle(options: {
  project: string;
  signal: AbortSignal;
  waiting?: Waiting;
}): Promise<Cloud> {
  const { project, signal, waiting = new Waiting() } = options;
  const { GoogleAuth } = await import('google-auth-library');
  const auth = new GoogleAuth({ scopes, projectId: project });
  const authClient = await credentials(auth, signal, waiting);
  const session: Session = {
    project,
    waiting,
    grpcOptions: async () => ({ projectId: project, authClient }),
    storageOptions: async () => ({ projectId: project, authClient, retryOptions: storageRetries }),
  };
  return connection('google', session, {
    identity: googleIdentity(auth, waiting),
    secrets: secretsAdapter(async () => authClient, waiting),
    inventory: async () => {
      const { inventoryAdapter } = await import('./inventory-adapter.ts');
      return inventoryAdapter(authorisedGet(auth), waiting);
    },
    registry: async () => {
      const { registryAdapter } = await import('./registry-adapter.ts');
      const token = async () => new Secret((await auth.getAccessToken()) ?? '');
      return registryAdapter({ origin: (host) => `https://${host}`, token }, waiting);
    },
  });
}

/** The local cloud on this machine's loopback: the same adapters on another address, without credentials. */
export async function connectLocal(options: {
  port: number;
  project: string;
  waiting?: Waiting;
}): Promise<Cloud> {
  const { port, project, waiting = new Waiting() } = options;
  const origin = `http://127.0.0.1:${port}`;
  const session: Session = {
    project,
    waiting,
    grpcOptions: once(async () => {
      const { grpc, googleAuthLibrary } = await import('google-gax');
      return {
        projectId: project,
        apiEndpoint: '127.0.0.1',
        port,
        sslCreds: grpc.credentials.createInsecure(),
        // Without it the library looks for a metadata server.
        authClient: new googleAuthLibrary.PassThroughClient(),
      };
    }),
    storageOptions: async () => {
      const authClient = await passThrough();
      return { projectId: project, apiEndpoint: origin, authClient, retryOptions: storageRetries };
    },
  };
  return connection('local', session, {
    identity: localIdentity(origin, project, waiting),
    secrets: secretsAdapter(passThrough, waiting, origin),
    inventory: async () => {
      const { inventoryAdapter } = await import('./inventory-adapter.ts');
      return inventoryAdapter(loopbackGet, waiting, () => origin);
    },
    registry: async () => localRegistry,
    provision: provisionAdapter(origin, waiting),
  });
}

async function passThrough(): Promise<AuthClient> {
  const { PassThroughClient } = await import('google-auth-library');
  return new PassThroughClient();
}

function connection(
  kind: Cloud['kind'],
  session: Session,
  plain: Pick<Cloud, 'identity' | 'secrets' | 'inventory' | 'registry' | 'provision'>,
): Cloud {
  const adapters = {
    run: runAdapter(session),
    build: buildAdapter(session),
    logs: logsAdapter(session),
    storage: storageAdapter(session),
  };
  return {
    kind,
    run: adapters.run.port,
    build: adapters.build.port,
    logs: adapters.logs.port,
    storage: adapters.storage.port,
    ...plain,
    warm: (...parts) => {
      // A client that cannot be loaded says so at its first use.
      for (const part of parts) adapters[part].warm().catch(() => undefined);
    },
    close: async () => {
      await Promise.all(Object.values(adapters).map((adapter) => adapter.close()));
    },
  };
}

/** For APIs that are asked one question only: no client of their own is worth its loading. */
function authorisedGet(auth: GoogleAuth): GetJson {
  return async (url, { signal }) => {
    const headers = await auth.getRequestHeaders(url);
    return jsonOf(await fetch(url, { headers, signal }));
  };
}

/** Without `fetch`, whose first use sets up undici: until something is uploaded nothing else needs that. */
const loopbackGet: GetJson = async (url, { signal }) => {
  const sent = process.getBuiltinModule('node:http').get(url, { agent: false, signal });
  const [body]: IncomingMessage[] = await emitted(sent, 'response');
  if (!body) throw new Error('no answer');
  return jsonOf({ status: body.statusCode ?? 0, statusText: body.statusMessage ?? '', body });
};

async function jsonOf(answer: Answer): Promise<unknown> {
  if (answer.status !== 200) throw await httpFailure(answer);
  return JSON.parse(Buffer.from(await boundedBytes(answer, maxAnswerBytes)).toString('utf8'));
}

async function credentials(auth: GoogleAuth, signal: AbortSignal, waiting: Waiting): Promise<AuthClient> {
  const about = { method: 'auth.credentials', resource: '', write: false };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(credentialsMs)]);
  try {
    return await waiting.track(untilAborted(auth.getClient(), limit));
  } catch (error) {
    if (signal.aborted) throw cloudError('aborted', 'the search for credentials was aborted', about);
    if (limit.aborted) throw cloudError('unauthenticated', 'no credentials were found in time', about, error);
    // Whatever is wrong with the credentials, signing in mends it; the library's own words say what it was.
    throw cloudError('unauthenticated', errorMessage(error), about, error);
  }
}
