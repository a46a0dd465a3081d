import * as Flags from '@oclif/core/flags';
import { resumeCommand } from '../src/plan/resume-command.ts';
import { historyOf } from '../src/release/history.ts';
import { historyLines } from '../src/report/history.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';
import { cloudFlags, configFlags, environmentArg, serviceFlag, typedDeploy } from '../src/terminal/flags.ts';
import { openRecords } from '../src/workbench.ts';

export default class History extends SluiceCommand {
  static override summary =
    'show the releases of an environment, newest first: revision, changes, outcome, cause';
  static override description =
    'Reads the ledger, not the cloud. What serves as the newest record saw it is marked, and so are damaged records and conditions of the gate that somebody set aside. Releases to the local cloud are shown with --local.';
  static override examples = [
    '<%= config.bin %> history staging',
    '<%= config.bin %> history production --service chat --limit 5',
    '<%= config.bin %> history staging --all --json',
  ];
  static override args = environmentArg;
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    ...serviceFlag,
    limit: Flags.integer({ description: 'at most so many releases', default: 20, min: 1, max: 1_000 }),
    all: Flags.boolean({
      description: 'every release, those too that had nothing to do',
      exclusive: ['limit'],
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(History);
    const { environment } = args;
    const records = await openRecords({ ...flags, environment, signal: this.signal });
    try {
      const { service } = flags;
      const releases = await records.ledger.releases({
        ...{ environment, cloud: records.kind, changesOnly: !flags.all },
        ...(service ? { service } : {}),
        limit: flags.all ? Number.POSITIVE_INFINITY : flags.limit,
      });
      const rows = historyOf(releases, service);
      const resume = (release: string) => resumeCommand(typedDeploy(environment, flags), release);
      this.print(
        historyLines(rows, { environment, cloud: records.kind, resume }, this.theme(process.stdout)),
      );
      return { version: 1, environment, releases: rows };
    } finally {
      await records.close();
    }
  }
}
