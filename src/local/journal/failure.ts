import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';
import { noRoomMessage } from '../no-room.ts';

/** How a write that did not reach the disk fails the call that asked for it. */
export function writeFailure(folder: string, error: unknown): RpcError {
  const noRoom = noRoomMessage(error, folder);
  if (noRoom) return new RpcError(status.RESOURCE_EXHAUSTED, noRoom);
  const message = error instanceof Error ? error.message : String(error);
  return new RpcError(status.INTERNAL, `The local cloud cannot write to ${folder}: ${message}.`);
}

const retryMs = 500;

/**
 * For writes behind an answered call, which have nobody to tell: again until there is room. Once stopped it tries once
 * and leaves the rest to the next start.
 */
export async function untilWritten(write: () => Promise<unknown>, stopped?: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await write();
      return;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const isClosed = error.code === status.UNAVAILABLE;
      if (isClosed || stopped?.aborted) return;
      await sleep(retryMs, undefined, { signal: stopped, ref: false }).catch(() => {});
    }
  }
}
