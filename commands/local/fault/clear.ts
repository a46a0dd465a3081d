import * as Args from '@oclif/core/args';
import { SluiceError } from '../../../src/errors.ts';
import { clearFaults } from '../../../src/local/fault-client.ts';
import { defaultHome } from '../../../src/local/home.ts';
import { SluiceCommand } from '../../../src/terminal/base-command.ts';

export default class LocalFaultClear extends SluiceCommand {
  static override summary = 'take the faults out of the local cloud: one, or all';
  static override examples = [
    '<%= config.bin %> local fault clear',
    '<%= config.bin %> local fault clear f2',
  ];
  static override args = {
    id: Args.string({ description: 'as `sluice local fault list` shows it', ignoreStdin: true }),
  };

  async run(): Promise<unknown> {
    const { args } = await this.parse(LocalFaultClear);
    const cleared = await clearFaults(defaultHome(), args.id);
    if (args.id !== undefined && cleared.length === 0) {
      const what = `There is no fault ${args.id}.`;
      throw new SluiceError('usage', { what, next: ['sluice local fault list'] });
    }
    this.print([cleared.length === 1 ? 'one fault is gone' : `${cleared.length} faults are gone`]);
    return { version: 1, cleared };
  }
}
