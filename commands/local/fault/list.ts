import { listFaults } from '../../../src/local/fault-client.ts';
import { defaultHome } from '../../../src/local/home.ts';
import { faultLine } from '../../../src/report/faults.ts';
import { SluiceCommand } from '../../../src/terminal/base-command.ts';

export default class LocalFaultList extends SluiceCommand {
  static override summary = 'show the faults in the local cloud, and how often each has struck';
  static override examples = [
    '<%= config.bin %> local fault list',
    '<%= config.bin %> local fault list --json',
  ];

  async run(): Promise<unknown> {
    await this.parse(LocalFaultList);
    const faults = await listFaults(defaultHome());
    this.print(faults.map(faultLine));
    if (faults.length === 0) this.say('there are no faults');
    return { version: 1, faults };
  }
}
