import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { typedSign } from '../src/release/run.ts';
import { sign } from '../src/release/sign.ts';
import { signedLines } from '../src/report/signed.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';
import { cloudFlags, configFlags, environmentArg, serviceFlag, typedDeploy } from '../src/terminal/flags.ts';
import { identifyActor, openWorkbench } from '../src/workbench.ts';

export default class Sign extends SluiceCommand {
  static override summary = 'answer a manual check for the revision that serves';
  static override description =
    'Records who answered (git and the identity of the cloud), when, for which revision and which digest. A new revision voids the answer; the newest one for a revision counts.';
  static override examples = [
    '<%= config.bin %> sign staging french --note "asked three questions, all answered in French"',
    '<%= config.bin %> sign staging french --fail --note "answers in English when the question is long"',
  ];
  static override args = {
    ...environmentArg,
    item: Args.string({ description: 'the id of the manual check', required: true, ignoreStdin: true }),
  };
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    ...serviceFlag,
    note: Flags.string({ description: 'what was looked at, and seen', required: true, helpValue: 'TEXT' }),
    fail: Flags.boolean({ description: 'the answer is no: the check has failed' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Sign);
    const [bench, actor] = await Promise.all([
      openWorkbench({ ...flags, ...args, signal: this.signal }),
      identifyActor(flags.dir),
    ]);
    const command = typedDeploy(args.environment, flags);
    try {
      const signed = await sign(
        {
          ...args,
          targets: bench.targets,
          outcome: flags.fail ? 'failed' : 'passed',
          note: flags.note,
          git: actor.who,
          command,
        },
        { ...bench, signal: this.signal, now: () => new Date() },
      );
      const nextFor = (item: string) => typedSign({ command }, args.environment, item);
      this.print(signedLines(signed, nextFor, this.theme(process.stdout)));
      return { version: 1, ...signed };
    } finally {
      await bench.close();
    }
  }
}
