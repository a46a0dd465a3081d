import { flush, handle, run as runOclif } from '@oclif/core';

/** Runs one command; every error ends in a message and an exit code of `errors.ts`. */
export async function run(root: string, args: string[]): Promise<void> {
  try {
    await runOclif(args, { root });
    await flush();
  } catch (error) {
    await handle(error as Error);
  }
}
