import * as Flags from '@oclif/core/flags';
import { check } from '../src/release/check.ts';
import { typed } from '../src/release/run.ts';
import { ReleaseCommand, releaseFlags } from '../src/release-command.ts';
import { cloudFlags, configFlags, environmentArg, serviceFlag, typedDeploy } from '../src/terminal/flags.ts';

export default class Check extends ReleaseCommand {
  static override summary = 'run the checklist against what is live';
  static override description =
    "On the service's URL and the revision that serves, or with --stage candidate on the tagged candidate. It proves who answers, reads the startup from the log, takes no lock and writes nothing to the service; what it finds is recorded as evidence. Ends with 13 when a required check has not passed, with 16 when only a person is waited for.";
  static override examples = [
    '<%= config.bin %> check staging',
    '<%= config.bin %> check staging --only health',
    '<%= config.bin %> check staging --stage candidate --service chat --json',
  ];
  static override args = environmentArg;
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    ...serviceFlag,
    ...releaseFlags,
    only: Flags.string({ description: 'only this check', helpValue: 'ID' }),
    stage: Flags.option({
      options: ['candidate', 'post'] as const,
      default: 'post' as const,
      description: 'candidate: on the tagged candidate; post: on what serves',
    })(),
  };

  protected override readonly restores = false;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Check);
    return this.conduct(flags, { ...flags, ...args }, (bench, deps) =>
      check(
        {
          environment: args.environment,
          targets: bench.targets,
          stage: flags.stage,
          only: flags.only,
          command: typed({ command: typedDeploy(args.environment, flags) }, 'check'),
        },
        deps,
      ),
    );
  }
}
