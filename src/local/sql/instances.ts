import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import type { LogSink } from '../contracts.ts';
import { RpcError } from '../grpc.ts';
import { endRecordedProcess } from '../runtime/process-records.ts';
import { sayAs } from './log.ts';
import { type ConnectionName, checkInstanceName, checkRegion, formatConnectionName } from './names.ts';
import type { Admin } from './postgres/admin.ts';
import { findPostgres, howToInstall, type Postgres } from './postgres/binaries.ts';
import { type Cluster, openCluster } from './postgres/cluster.ts';
import { findPostgresLauncher, type PostgresLauncher } from './postgres/launcher.ts';
import { scramVerifier } from './postgres/scram.ts';
import type { InstanceBody } from './schema.ts';
import { addOperation, type Instance, type SqlOperation, type SqlState } from './state.ts';

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
  #engine: Promise<Engine> | undefined;
  /** Resolves when no predecessor's server is left. */
  readonly #tidied: Promise<void>;
  #stopped = false;

  constructor(parts: InstancesParts) {
    this.#parts = parts;
    this.#tidied = this.#tidy();
    this.#tidied.catch(() => undefined);
    for (const instance of parts.state.value.instances) {
      if (instance.state === 'PENDING_CREATE') this.#create(instance);
    }
  }

  list(project: string): Instance[] {
    const { instances } = this.#parts.state.value;
    const own = instances.filter((each) => each.project === project);
    return own.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(project: string, name: string): Instance {
    const found = this.#find(project, name);
    if (!found) throw new RpcError(status.NOT_FOUND, 'The Cloud SQL instance does not exist.');
    return found;
  }

  /** The Postgres that all of them run, such as 18.4; undefined before the first needed one. */
  async version(): Promise<string | undefined> {
    const engine = await this.#findEngine().catch(() => undefined);
    return engine?.postgres.version;
  }

  async insert(project: string, body: InstanceBody): Promise<SqlOperation> {
    const { name, region = 'us-central1', databaseVersion = 'MYSQL_8_4' } = body;
    checkInstanceName(project, name);
    checkRegion(region);
    if (!versions.includes(databaseVersion)) {
      const what = `databaseVersion: the local cloud runs ${versions.join(', ')}, not ${databaseVersion}.`;
      throw new RpcError(status.UNIMPLEMENTED, what);
    }
    const { state } = this.#parts;
    if (this.#find(project, name)) {
      const what = `The Cloud SQL instance already exists.`;
      throw new RpcError(status.ALREADY_EXISTS, what);
    }
    if (state.value.instances.length >= maxInstances) {
      const what = `The local cloud keeps ${maxInstances} Cloud SQL instances: delete one.`;
      throw new RpcError(status.RESOURCE_EXHAUSTED, what);
    }
    await this.#findEngine();
    const instance: Instance = {
      ...{ id: randomBytes(6).toString('hex'), project, region, name, databaseVersion },
      state: 'PENDING_CREATE',
      createTime: new Date().toISOString(),
      settings: { ...body.settings },
      settingsVersion: 1,
      ...(body.rootPassword && { rootVerifier: scramVerifier(body.rootPassword) }),
    };
    state.value.instances.push(instance);
    const operation = this.#begin('CREATE', instance);
    await state.save();
    this.#create(instance);
    return operation;
  }

  async delete(project: string, name: string): Promise<SqlOperation> {
    const instance = this.get(project, name);
    if (instance.settings['deletionProtectionEnabled'] === true) {
      const what = `The instance is protected. Please disable the deletion protection and try again. To disable deletion protection, update the instance settings with deletionProtectionEnabled set to false.`;
      throw new RpcError(status.INVALID_ARGUMENT, what);
    }
    const { state } = this.#parts;
    const operation = this.#begin('DELETE', instance);
    state.value.instances.splice(state.value.instances.indexOf(instance), 1);
    end(operation);
    await state.save();
    await this.#clusters.get(instance.id)?.close();
    this.#clusters.delete(instance.id);
    await rm(this.#folderOf(instance), { recursive: true, force: true });
    return operation;
  }

  /** Changes something in an instance; what Postgres says against it becomes the operation's error. */
  async change(
    instance: Instance,
    type: OperationType,
    work: (admin: Admin) => Promise<void>,
  ): Promise<SqlOperation> {
    const operation = this.#begin(type, instance);
    try {
      await this.ask(instance, work);
      end(operation);
    } catch (error) {
      if (error instanceof RpcError) throw error;
      end(operation, { code: 'ERROR_RDBMS', message: messageOf(error) });
    }
    await this.#parts.state.save();
    return operation;
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
    this.#stopped = true;
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.close()));
    await Promise.all(this.#creating.values());
  }

  #find(project: string, name: string): Instance | undefined {
    return this.#parts.state.value.instances.find((each) => each.project === project && each.name === name);
  }

  #create(instance: Instance): void {
    const created = this.#tryCreate(instance).finally(() => this.#creating.delete(instance.id));
    this.#creating.set(instance.id, created);
  }

  /** Never rejects: what went wrong is the operation's error. */
  async #tryCreate(instance: Instance): Promise<void> {
    const { state } = this.#parts;
    const failure = await this.#clusterOf(instance)
      .then((cluster) => cluster.create(instance.rootVerifier))
      .then(() => undefined, messageOf);
    // One that the stop cut short is made at the next start.
    if (this.#stopped || !state.value.instances.includes(instance)) return;
    instance.state = failure === undefined ? 'RUNNABLE' : 'FAILED';
    delete instance.rootVerifier;
    const { project, name } = instance;
    for (const operation of state.value.operations) {
      if (operation.project !== project || operation.instance !== name || operation.endTime) continue;
      end(operation, failure === undefined ? undefined : { code: 'INTERNAL_ERROR', message: failure });
    }
    await state.save().catch(() => undefined);
  }

  async #clusterOf(instance: Instance): Promise<Cluster> {
    const engine = await this.#findEngine();
    await this.#tidied;
    const { id } = instance;
    const known = this.#clusters.get(id);
    if (known) return known;
    const folder = this.#folderOf(instance);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const host = { ...engine, say: sayAs(this.#parts.logs, instance) };
    const cluster = this.#clusters.get(id) ?? openCluster(host, folder, path.join(this.#parts.short(), id));
    this.#clusters.set(id, cluster);
    return cluster;
  }

  /** Ends what a crash left running, and removes the data of what it left half deleted. */
  async #tidy(): Promise<void> {
    const root = path.join(this.#parts.home, 'sql');
    const known = new Set(this.#parts.state.value.instances.map(({ id }) => id));
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

  #begin(type: OperationType, { project, name }: Instance): SqlOperation {
    const insertTime = new Date().toISOString();
    const operation: SqlOperation = { name: randomUUID(), project, instance: name, type, insertTime };
    addOperation(this.#parts.state, operation);
    return operation;
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

function end(operation: SqlOperation, error?: SqlOperation['error']): void {
  operation.endTime = new Date().toISOString();
  if (error) operation.error = error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
