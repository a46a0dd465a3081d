import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';

/** A full disk, a used-up quota, a limit on the size of files (`ulimit -f`). */
const noRoom: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on its disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the limit on the size of a file is reached',
};

/** How a write that did not reach the disk fails the call that asked for it. */
export function writeFailure(folder: string, error: unknown): RpcError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = noRoom[code];
  if (!why) {
    const message = error instanceof Error ? error.message : String(error);
    return new RpcError(status.INTERNAL, `The local cloud cannot write to ${folder}: ${message}.`);
  }
  return new RpcError(
    status.RESOURCE_EXHAUSTED,
    `The local cloud cannot write to ${folder}: ${why}. Nothing was changed. Make room and try again: \`sluice local reset\` empties this folder.`,
  );
}

const retryMs = 500;

/**
 * For writes behind an answered call, which have nobody to tell: again until there is room. Stopped without having
 * written, it leaves the rest to the next start.
 */
export async function untilWritten(write: () => Promise<unknown>, stopped?: AbortSignal): Promise<void> {
  while (!stopped?.aborted) {
    try {
      await write();
      return;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      // The journal is closed.
      if (error.code === status.UNAVAILABLE) return;
      await sleep(retryMs, undefined, { signal: stopped, ref: false }).catch(() => {});
    }
  }
}
