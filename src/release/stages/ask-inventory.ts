import { CloudError, type InventoryPort, type Presence } from '../../cloud/ports/index.ts';
import type { ServiceRun } from '../run.ts';

/**
 * Is there what a service refers to? Who deploys may well not be allowed to look, which is no reason to stop: then
 * the answer is undefined, and a notice says so. `what`: for example `the secret api-key:1`.
 */
export async function askInventory(
  { cloud, journal, target }: ServiceRun,
  what: string,
  question: (inventory: InventoryPort) => Promise<Presence>,
): Promise<Presence | undefined> {
  try {
    return await question(await cloud.inventory());
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'aborted') throw error;
    const note = `whether ${what} exists could not be asked: ${error.said}`;
    journal.emit({ type: 'notice', service: target.key, note });
    return undefined;
  }
}
