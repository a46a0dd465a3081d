import path from 'node:path';
import { status } from '@grpc/grpc-js';
import pLimit from 'p-limit';
import type { LogSink } from '../contracts.ts';
import type { StorageBackend } from '../storage/index.ts';
import { BuildFailed } from './failure.ts';
import type { LocalImageStore } from './image-store.ts';
import { openBuildLog } from './logs.ts';
import type { BuildOrder } from './order.ts';
import { Progress } from './progress.ts';
import { type BuildRecord, isOver } from './record.ts';
import type { Userland } from './userland.ts';
import { type BuildProducts, runBuild, type Tools } from './worker.ts';

const concurrency = 2;
const maxQueued = 50;

export type QueueTools = {
  workFolder: string;
  cacheFolder: string;
  storage: StorageBackend;
  images: LocalImageStore;
  logs: LogSink;
  /** How processes are run on this machine; asked when the first build begins. */
  userland(): Promise<Userland>;
  /** Resolves when a worker is there. */
  provision?(signal: AbortSignal): Promise<void>;
  /** Stores what a record has become, and tells the operation. */
  publish(record: BuildRecord): Promise<void>;
};

type Ending = Pick<BuildRecord, 'status' | 'statusDetail' | 'failure'> & Partial<BuildProducts>;

/** Why a build is ended from outside. */
class Interrupted extends Error {
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(ending.statusDetail ?? ending.status);
    this.ending = ending;
  }
}

const expired: Ending = {
  status: 'EXPIRED',
  statusDetail: 'The build was queued for longer than its queue TTL.',
};

/** Runs builds, so many at a time, and moves each record from QUEUED to its end. */
export class BuildQueue {
  private readonly tools: QueueTools;
  private readonly limit = pLimit(concurrency);
  private readonly open = new Map<string, { abort: AbortController; over: Promise<void> }>();

  constructor(tools: QueueTools) {
    this.tools = tools;
  }

  get isFull(): boolean {
    return this.open.size >= maxQueued + concurrency;
  }

  submit(record: BuildRecord, order: BuildOrder): void {
    const abort = new AbortController();
    const expiry = setTimeout(() => {
      if (record.status === 'QUEUED') this.interrupt(record, expired).catch(() => {});
    }, order.queueTtlMs);
    const over = this.limit(() => this.run(record, order, abort))
      // Only the state file can fail here; the next start ends the build then.
      .catch(() => {})
      .finally(() => {
        clearTimeout(expiry);
        this.open.delete(record.id);
      });
    this.open.set(record.id, { abort, over });
  }

  /** Resolves when the build is over; a build that ended before stays as it was. */
  async cancel(record: BuildRecord): Promise<void> {
    await this.interrupt(record, { status: 'CANCELLED', statusDetail: 'The build was cancelled.' });
  }

  async stop(records: BuildRecord[]): Promise<void> {
    const ending: Ending = { status: 'INTERNAL_ERROR', statusDetail: 'The local cloud was stopped.' };
    await Promise.all(
      records.filter(({ id }) => this.open.has(id)).map((record) => this.interrupt(record, ending)),
    );
  }

  private async interrupt(record: BuildRecord, ending: Ending): Promise<void> {
    const build = this.open.get(record.id);
    build?.abort.abort(new Interrupted(ending));
    if (record.status === 'QUEUED') await this.end(record, ending);
    else await build?.over;
  }

  private async run(record: BuildRecord, order: BuildOrder, abort: AbortController): Promise<void> {
    await this.tools.provision?.(abort.signal);
    if (isOver(record)) return;
    const timeout = setTimeout(() => {
      abort.abort(
        new Interrupted({ status: 'TIMEOUT', statusDetail: 'The build ran longer than its timeout.' }),
      );
    }, order.timeoutMs);
    record.status = 'WORKING';
    record.startTime = Date.now();
    const progress = new Progress(record, () => this.tools.publish(record).catch(() => {}));
    const log = openBuildLog(record, { ...this.tools, cloudLogging: order.cloudLogging });
    log.line(`starting build "${record.id}"`);
    try {
      await this.tools.publish(record);
      const ending = await this.attempt(record, order, {
        signal: abort.signal,
        log: log.line,
        observer: progress,
      });
      progress.end(ending.status);
      log.line(
        ending.status === 'SUCCESS'
          ? 'DONE'
          : `ERROR: ${ending.failure?.detail.replace('Build step failure: ', '') ?? ending.statusDetail ?? ''}`,
      );
      await log.close();
      await this.end(record, ending);
    } finally {
      clearTimeout(timeout);
    }
  }

  private async attempt(
    record: BuildRecord,
    order: BuildOrder,
    build: Pick<Tools, 'signal' | 'log' | 'observer'>,
  ): Promise<Ending> {
    const { signal } = build;
    try {
      const folder = path.join(this.tools.workFolder, record.id);
      const userland = await this.tools.userland();
      const products = await runBuild(order, { ...this.tools, ...build, folder, userland });
      return { status: 'SUCCESS', ...products };
    } catch (error) {
      if (signal.reason instanceof Interrupted) return signal.reason.ending;
      if (error instanceof BuildFailed) {
        return { status: 'FAILURE', failure: error.failure, statusDetail: error.failure.detail };
      }
      return {
        status: 'INTERNAL_ERROR',
        statusDetail: error instanceof Error ? error.message : String(error),
      };
    }
  }

  private async end(record: BuildRecord, ending: Ending): Promise<void> {
    Object.assign(record, ending, { finishTime: Date.now() });
    await this.tools.publish(record);
  }
}

/** How a build that did not succeed ends its operation. */
export function operationError({ status: ended, statusDetail }: BuildRecord): {
  code: number;
  message: string;
} {
  const because = statusDetail ? `: ${statusDetail}` : '';
  switch (ended) {
    case 'CANCELLED':
      return { code: status.CANCELLED, message: `Build cancelled${because}` };
    case 'TIMEOUT':
      return { code: status.DEADLINE_EXCEEDED, message: `Build timed out${because}` };
    case 'FAILURE':
      return { code: status.UNKNOWN, message: `Build failed; check build logs for details${because}` };
    default:
      return { code: status.INTERNAL, message: `Build did not finish${because}` };
  }
}
