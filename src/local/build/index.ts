import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ImageStore, LogSink } from '../contracts.ts';
import { type Collection, openCollection } from '../journal/collection.ts';
import { untilWritten } from '../journal/failure.ts';
import type { Journal } from '../journal/journal.ts';
import type { OperationStore } from '../operations.ts';
import type { Protos } from '../protos.ts';
import { StorageError } from '../storage/errors.ts';
import type { StorageBackend } from '../storage/index.ts';
import { openImages } from './image-store.ts';
import { endProcessesIn } from './orphans.ts';
import { BuildQueue, operationError, type QueueTools } from './queue.ts';
import { type BuildRecord, isOver, recordSchema, toBuild } from './record.ts';
import { refused } from './schema.ts';
import { type Builds, buildService } from './service.ts';
import { submitService } from './submit.ts';
import { findUserland } from './userland.ts';

export type BuildBackend = {
  /** `google.devtools.cloudbuild.v1.CloudBuild`: CreateBuild, GetBuild, ListBuilds, CancelBuild, RetryBuild. */
  service: UntypedServiceImplementation;
  /** `google.cloud.run.v2.Builds`. */
  submit: UntypedServiceImplementation;
  images: ImageStore;
  /** Ends what is running and waits for it. */
  stop(): Promise<void>;
};

const maxRecords = 500;

/** Cloud Build of the local cloud. What was running when an earlier one died is ended here. */
export function openBuild(options: {
  home: string;
  /** What the local cloud is reached by; asked for each build. */
  host?: () => string;
  journal: Journal;
  protos: Protos;
  storage: StorageBackend;
  logs: LogSink;
  operations: OperationStore;
  /** Resolves when a worker is there. */
  provision?: QueueTools['provision'];
}): BuildBackend {
  const { journal, protos, storage, logs, operations } = options;
  const folder = path.join(options.home, 'builds');
  const workFolder = path.join(folder, 'work');
  endProcessesIn(workFolder);
  rmSync(workFolder, { recursive: true, force: true });
  mkdirSync(workFolder, { recursive: true });

  const images = openImages({ home: options.home, journal });
  const records = openCollection({ journal, name: 'builds', schema: recordSchema, keyOf: ({ id }) => id });
  const pack = (type: string, message: object) =>
    protos.pack(`google.devtools.cloudbuild.v1.${type}`, message);
  const metadataOf = (record: BuildRecord) => pack('BuildOperationMetadata', { build: toBuild(record) });

  const stopping = new AbortController();

  /** The record and its operation change together. */
  function publish(record: BuildRecord): Promise<void> {
    return untilWritten(() => Promise.all([records.put(record), tellOperation(record)]), stopping.signal);
  }

  async function tellOperation(record: BuildRecord): Promise<void> {
    const metadata = metadataOf(record);
    if (!isOver(record)) return operations.update(record.operation, metadata);
    const outcome =
      record.status === 'SUCCESS'
        ? { response: pack('Build', toBuild(record)) }
        : { error: operationError(record) };
    await operations.complete(record.operation, outcome, metadata);
  }

  const queue = new BuildQueue({
    workFolder,
    cacheFolder: path.join(folder, 'cache'),
    storage,
    images,
    logs,
    userland: once(() => findUserland(workFolder)),
    publish,
    ...(options.provision && { provision: options.provision }),
  });
  const told = Promise.all(endAbandoned([...records.values()]).map(publish));

  const builds: Builds = {
    host: options.host ?? (() => '127.0.0.1'),
    all: () => [...records.values()],
    isFull: () => queue.isFull,
    async start(record, order) {
      if (order.logs) ensureLogsBucket(storage, order.logs.bucket, record);
      const [operation] = await Promise.all([
        operations.create(record.operation, metadataOf(record)),
        records.put(record),
        dropOldest(records),
      ]);
      queue.submit(record, order);
      return operation;
    },
    cancel: (record) => queue.cancel(record),
  };

  return {
    images,
    service: buildService(builds),
    submit: submitService(builds),
    async stop() {
      stopping.abort();
      await told;
      await queue.stop([...records.values()]);
    },
  };
}

/** Marks what an earlier local cloud left unfinished; returns those records. */
function endAbandoned(records: readonly BuildRecord[]): BuildRecord[] {
  const abandoned = records.filter((record) => !isOver(record));
  for (const record of abandoned) {
    const began = record.status === 'WORKING';
    record.status = began ? 'INTERNAL_ERROR' : 'EXPIRED';
    record.statusDetail = `The local cloud ended ${began ? 'while the build ran' : 'before the build began'}.`;
    record.finishTime = Date.now();
    for (const step of record.steps) if (step.status === 'WORKING') step.status = 'CANCELLED';
  }
  return abandoned;
}

function ensureLogsBucket(storage: StorageBackend, bucket: string, { project, location }: BuildRecord): void {
  try {
    storage.ensureBucket(bucket, project, location === 'global' ? 'US' : location);
  } catch (error) {
    throw error instanceof StorageError ? refused(`logs bucket '${bucket}': ${error.message}`) : error;
  }
}

async function dropOldest(records: Collection<BuildRecord>): Promise<void> {
  const oldest = records.size > maxRecords ? [...records.values()].find(isOver) : undefined;
  if (oldest) await records.delete(oldest.id);
}

function once<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    found ??= find();
    return found;
  };
}
