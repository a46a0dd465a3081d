// The detached process of the local cloud: argv is the home and the stamp; its first word goes to the parent by IPC.
import type { BootMessage } from './launcher.ts';

process.getBuiltinModule('node:module').enableCompileCache();
const [, , home = '', stamp = ''] = process.argv;
void run();

async function run(): Promise<void> {
  const { HomeBusyError, LocalCloudError } = await import('./errors.ts');
  const { noRoomMessage } = await import('./no-room.ts');
  try {
    await serve();
    process.exit(0);
  } catch (error) {
    const message = noRoomMessage(error, home) ?? (error instanceof Error ? error.message : String(error));
    tell(error instanceof HomeBusyError ? { kind: 'busy' } : { kind: 'failed', message });
    // What the local cloud says itself is told already; of anything else the log keeps the stack.
    if (!(error instanceof LocalCloudError)) console.error(error);
    process.exitCode = 1;
  }
}

async function serve(): Promise<void> {
  const stopSignal = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopSignal.resolve());
  // A limit on the size of files is then an error of the write, which is answered for, not the end of the process.
  process.on('SIGXFSZ', () => {});
  const { startLocalCloud } = await import('./server.ts');
  const cloud = await startLocalCloud({ home, stamp });
  tell({ kind: 'ready', port: cloud.port });
  await Promise.race([cloud.stopRequested, stopSignal.promise]);
  await cloud.stop();
}

function tell(message: BootMessage): void {
  // Whoever started this process may be gone already.
  if (process.connected) process.send?.(message, () => process.connected && process.disconnect());
}
