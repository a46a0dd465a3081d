import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { approve, environmentOfRelease } from '../src/release/approve.ts';
import { approvedLines } from '../src/report/approved.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';
import { cloudFlags, configFlags, typedCommand } from '../src/terminal/flags.ts';
import { identifyAccount, identifyActor, openWorkbench } from '../src/workbench.ts';

const accountWithinMs = 10_000;

export default class Approve extends SluiceCommand {
  static override summary = 'approve what a release made, for its promotion';
  static override description =
    'Records who approves (git and the account of the credentials), when and why. An approval holds for this release only. One person counts once, and whoever deployed the release does not count unless the gate says `selfApproval: true`.';
  static override examples = [
    '<%= config.bin %> approve 20261122T044736-staging-cgn6 --note "tried it with the support team"',
  ];
  static override args = {
    release: Args.string({
      description: 'the release, as its deploy printed it',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    note: Flags.string({ description: 'why, for the record', default: '', helpValue: 'TEXT' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Approve);
    const environment = environmentOfRelease(args.release);
    const [bench, { who }] = await Promise.all([
      openWorkbench({ ...flags, environment, signal: this.signal }),
      identifyActor(flags.dir),
    ]);
    try {
      const by = { git: who, account: await identifyAccount(bench.cloud, accountWithinMs) };
      const approved = await approve(
        { ...args, note: flags.note, by, type: (words) => typedCommand(words, flags) },
        { ...bench, now: () => new Date() },
      );
      this.print(approvedLines(approved, this.theme(process.stdout)));
      return { version: 1, ...approved };
    } finally {
      await bench.close();
    }
  }
}
