import { SluiceError } from '../../../src/errors.ts';
import { addFault } from '../../../src/local/fault-client.ts';
import { defaultHome } from '../../../src/local/home.ts';
import { faultFlags, faultOf } from '../../../src/local-flags.ts';
import { faultLine } from '../../../src/report/faults.ts';
import { SluiceCommand } from '../../../src/terminal/base-command.ts';
import { startLocalCloud } from '../../../src/workbench.ts';

export default class LocalFaultAdd extends SluiceCommand {
  static override summary = 'make calls to the local cloud go wrong on purpose';
  static override description =
    'Over gRPC, REST and the Knative face alike. Faults are kept in memory: `local stop` forgets them. A latency goes with each of the others; --code with --drop-reply or --cut-stream-after is what the caller is told.';
  static override examples = [
    '<%= config.bin %> local fault add --api run --method UpdateService --code UNAVAILABLE --times 2',
    '<%= config.bin %> local fault add --api run --method UpdateService --drop-reply --times 1',
    '<%= config.bin %> local fault add --api run --method GetService --stale-read 5s',
    '<%= config.bin %> local fault add --api logging --method TailLogEntries --cut-stream-after 100',
    '<%= config.bin %> local fault add --api storage --latency 2s --probability .1 --seed 7',
  ];
  static override flags = faultFlags;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(LocalFaultAdd);
    await startLocalCloud();
    const outcome = await addFault(defaultHome(), faultOf(flags));
    if (!outcome.added)
      throw new SluiceError('usage', { what: outcome.why, next: ['sluice local fault add --help'] });
    this.print([faultLine(outcome.fault)]);
    return { version: 1, fault: outcome.fault };
  }
}
