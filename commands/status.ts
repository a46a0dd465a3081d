import { readRecorded } from '../src/release/recorded-status.ts';
import { readStatus } from '../src/release/status.ts';
import { statusLines } from '../src/report/status.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';
import { cloudFlags, configFlags, environmentArg, serviceFlag, typedDeploy } from '../src/terminal/flags.ts';
import { openWorkbench } from '../src/workbench.ts';

export default class Status extends SluiceCommand {
  static override summary =
    'show what serves now: revision, digest, commit, traffic, pin, verdict, open items';
  static override description =
    'Reads the cloud, and the ledger for who made what serves, its commit and verdict, and who is at work now. What is unusual comes first: a foreign pin, traffic that is not what is desired, a release that did not finish.';
  static override examples = ['<%= config.bin %> status staging', '<%= config.bin %> status staging --json'];
  static override args = environmentArg;
  static override flags = { ...configFlags, ...cloudFlags, ...serviceFlag };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Status);
    const bench = await openWorkbench({ ...flags, ...args, signal: this.signal });
    const command = typedDeploy(args.environment, flags);
    try {
      const services = await Promise.all(
        bench.targets.map(async (target) => {
          const status = await readStatus(target, bench.cloud, this.signal);
          return { ...status, recorded: await readRecorded(target, status, command, bench) };
        }),
      );
      this.print(services.flatMap((service) => statusLines(service, command, this.theme(process.stdout))));
      return { version: 1, services };
    } finally {
      await bench.close();
    }
  }
}
