import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import type { LogSink } from '../contracts.ts';
import { RpcError } from '../grpc.ts';
import { untilWritten } from '../journal/failure.ts';
import { endRecordedProcess } from '../runtime/process-records.ts';
import { sayAs } from './log.ts';
import { type ConnectionName, checkInstanceName, checkRegion, formatConnectionName } from './names.ts';
import type { Admin } from './postgres/admin.ts';
import { findPostgres, howToInstall, type Postgres } from './postgres/binaries.ts';
import { type Cluster, openCluster } from './postgres/cluster.ts';
import { findPostgresLauncher, type PostgresLauncher } from './postgres/launcher.ts';
import { scramVerifier } from './postgres/scram.ts';
import type { InstanceBody } from './schema.ts';
import { type Instance, keepOperation, keyOf, type SqlOperation, type SqlState } from './state.ts';

export type InstancesParts = {
  home: string;
  state: SqlState;
  logs: LogSink;
  /** A folder whose path is short enough for sockets in it. */
  short(): string;
  findPostgres?: typeof findPostgres;
};

export type Engine = { postgres: Postgres; launcher: PostgresLauncher };
type OperationType = SqlOperation['type'];

/** A Postgres of each is kept on the disk and, once used, in memory. */
const maxInstances = 20;
const versions = ['POSTGRES_15', 'POSTGRES_16', 'POSTGRES_17', 'POSTGRES_18'];

/** The Cloud SQL instances and their servers. Whatever a method changes is on the disk when it resolves. */
export class Instances {
  readonly #parts: InstancesParts;
  readonly #clusters = new Map<string, Cluster>();
  readonly #creating = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  /** Resolves when no predecessor's server is left. */
  readonly #tidied: Promise<void>;
  #engine: Promise<Engine> | undefined;

  constructor(parts: InstancesParts) {
    this.#parts = parts;
    this.#tidied = this.#tidy();
    this.#tidied.catch(() => undefined);
    for (const instance of parts.state.instances.values()) {
      if (instance.state === 'PENDING_CREATE') this.#create(instance);
    }
  }

  list(project: string): Instance[] {
    const own = [...this.#parts.state.instances.values()].filter((each) => each.project === project);
    return own.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(project: string, name: string): Instance {
    const found = this.#find(project, name);
    if (!found) throw new RpcError(status.NOT_FOUND, 'The Cloud SQL instance does not exist.');
    return found;
  }

  /** The Postgres that all of them run, such as 18.4; undefined where there is none. */
  async version(): Promise<string | undefined> {
    const engine = await this.#findEngine().catch(() => undefined);
    return engine?.postgres.version;
  }

  async insert(project: string, body: InstanceBody): Promise<SqlOperation> {
    const { name, region = 'us-central1', databaseVersion = 'MYSQL_8_4' } = body;
    checkInstanceName(project, name);
    checkRegion(region);
    if (!versions.includes(databaseVersion)) {
      const what = `databaseVersion: the local cloud runs PostgreSQL only (${versions.join(', ')}), not ${databaseVersion}.`;
      throw new RpcError(status.UNIMPLEMENTED, what);
    }
    await this.#findEngine();
    const { state } = this.#parts;
    if (this.#find(project, name))
      throw new RpcError(status.ALREADY_EXISTS, 'The Cloud SQL instance already exists.');
    if (state.instances.size >= maxInstances) {
      const what = `The local cloud keeps ${maxInstances} Cloud SQL instances: delete one.`;
      throw new RpcError(status.RESOURCE_EXHAUSTED, what);
    }
    const operation = begin('CREATE', { project, name });
    const instance: Instance = {
      ...{ id: randomBytes(6).toString('hex'), project, region, name, databaseVersion },
      state: 'PENDING_CREATE',
      createTime: operation.insertTime,
      settings: { ...body.settings },
      ...(body.rootPassword && { rootVerifier: scramVerifier(body.rootPassword) }),
      creation: operation.name,
    };
    await Promise.all([keepOperation(state, operation), state.instances.put(instance)]);
    this.#create(instance);
    return operation;
  }

  async delete(project: string, name: string): Promise<SqlOperation> {
    const instance = this.get(project, name);
    if (instance.settings['deletionProtectionEnabled'] === true) {
      const what =
        'The instance is protected. Please disable the deletion protection and try again. To disable deletion protection, update the instance settings with deletionProtectionEnabled set to false.';
      throw new RpcError(status.INVALID_ARGUMENT, what);
    }
    const { state } = this.#parts;
    const operation = ended(begin('DELETE', instance));
    await Promise.all([state.instances.delete(keyOf(instance)), keepOperation(state, operation)]);
    await this.#clusters.get(instance.id)?.close();
    this.#clusters.delete(instance.id);
    // One in the making is cut short by that, and writes nothing any more then.
    await this.#creating.get(instance.id);
    await rm(this.#folderOf(instance), { recursive: true, force: true });
    return operation;
  }

  /** Changes something in an instance; what Postgres says against it becomes the operation's error. */
  async change(
    instance: Instance,
    type: OperationType,
    work: (admin: Admin) => Promise<void>,
  ): Promise<SqlOperation> {
    const operation = begin(type, instance);
    const error = await this.ask(instance, work).then(() => undefined, rdbmsError);
    const done = ended(operation, error);
    await keepOperation(this.#parts.state, done);
    return done;
  }

  async ask<T>(instance: Instance, work: (admin: Admin) => Promise<T>): Promise<T> {
    if (instance.state !== 'RUNNABLE') {
      const what = 'Invalid request since instance is not running.';
      throw new RpcError(status.INVALID_ARGUMENT, what);
    }
    const cluster = await this.#clusterOf(instance);
    return cluster.administer(work);
  }

  /** The socket of a running server; throws with the reason, in the words of Google's connector where it has some. */
  async connect(to: ConnectionName): Promise<string> {
    const instance = this.#find(to.project, to.name);
    if (instance?.region !== to.region) {
      throw new Error(
        `failed to get instance: Refresh error: failed to get instance metadata (connection name = "${formatConnectionName(to)}"): googleapi: Error 404: The Cloud SQL instance does not exist., instanceDoesNotExist`,
      );
    }
    await this.#creating.get(instance.id);
    if (instance.state !== 'RUNNABLE') throw new Error(`the instance's state is ${instance.state}`);
    const cluster = await this.#clusterOf(instance);
    return cluster.socket();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.close()));
    await Promise.all(this.#creating.values());
  }

  #find(project: string, name: string): Instance | undefined {
    return this.#parts.state.instances.get(keyOf({ project, name }));
  }

  #create(instance: Instance): void {
    const created = this.#tryCreate(instance).finally(() => this.#creating.delete(instance.id));
    this.#creating.set(instance.id, created);
  }

  /** Never rejects: what went wrong is the operation's error. */
  async #tryCreate(instance: Instance): Promise<void> {
    const { state } = this.#parts;
    const { signal } = this.#stopping;
    const failure = await this.#clusterOf(instance)
      .then((cluster) => cluster.create(instance.rootVerifier))
      .then(() => undefined, messageOf);
    // One that the stop cut short is made at the next start.
    if (signal.aborted || this.#find(instance.project, instance.name) !== instance) return;
    const operation = state.operations.get(instance.creation ?? '');
    instance.state = failure === undefined ? 'RUNNABLE' : 'FAILED';
    delete instance.rootVerifier;
    delete instance.creation;
    const error = failure === undefined ? undefined : { code: 'INTERNAL_ERROR', message: failure };
    // Together: the end of an operation whose instance is made already would be left to nobody.
    await untilWritten(
      () =>
        Promise.all([
          state.instances.put(instance),
          operation && keepOperation(state, ended(operation, error)),
        ]),
      signal,
    );
  }

  async #clusterOf(instance: Instance): Promise<Cluster> {
    const engine = await this.#findEngine();
    await this.#tidied;
    const { id } = instance;
    const known = this.#clusters.get(id);
    if (known) return known;
    const folder = this.#folderOf(instance);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Nobody would close what is opened now.
    this.#stopping.signal.throwIfAborted();
    if (this.#find(instance.project, instance.name) !== instance) {
      await rm(folder, { recursive: true, force: true });
      throw new RpcError(status.NOT_FOUND, 'The Cloud SQL instance does not exist.');
    }
    const host = { ...engine, say: sayAs(this.#parts.logs, instance) };
    const cluster = this.#clusters.get(id) ?? openCluster(host, folder, path.join(this.#parts.short(), id));
    this.#clusters.set(id, cluster);
    return cluster;
  }

  /** Ends what a crash left running, and removes the data of what it left half deleted. */
  async #tidy(): Promise<void> {
    const root = path.join(this.#parts.home, 'sql');
    const known = new Set([...this.#parts.state.instances.values()].map(({ id }) => id));
    for (const id of await readdir(root).catch(() => [])) {
      await endRecordedProcess(path.join(root, id));
      if (!known.has(id)) await rm(path.join(root, id), { recursive: true, force: true });
    }
  }

  #folderOf({ id }: Instance): string {
    return path.join(this.#parts.home, 'sql', id);
  }

  /** One that is not found is looked for again: it may be installed meanwhile. */
  #findEngine(): Promise<Engine> {
    this.#engine ??= lookForEngine(this.#parts.findPostgres ?? findPostgres).catch((error: unknown) => {
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }
}

async function lookForEngine(find: typeof findPostgres): Promise<Engine> {
  const postgres = await find();
  if (!postgres) {
    throw new RpcError(status.FAILED_PRECONDITION, `Cloud SQL needs a Postgres here: ${howToInstall}.`);
  }
  try {
    return { postgres, launcher: await findPostgresLauncher(postgres.postgres) };
  } catch (error) {
    throw new RpcError(status.FAILED_PRECONDITION, messageOf(error));
  }
}

function begin(type: OperationType, { project, name }: { project: string; name: string }): SqlOperation {
  return { name: randomUUID(), project, instance: name, type, insertTime: new Date().toISOString() };
}

function ended(operation: SqlOperation, error?: SqlOperation['error']): SqlOperation {
  return { ...operation, endTime: new Date().toISOString(), ...(error && { error }) };
}

function rdbmsError(error: unknown): SqlOperation['error'] {
  // What the API itself refuses is no operation.
  if (error instanceof RpcError) throw error;
  return { code: 'ERROR_RDBMS', message: messageOf(error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
