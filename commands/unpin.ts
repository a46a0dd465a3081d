import { unpin } from '../src/release/unpin.ts';
import { ReleaseCommand, releaseFlags } from '../src/release-command.ts';
import { cloudFlags, configFlags, environmentArg, serviceFlag, typedDeploy } from '../src/terminal/flags.ts';
import { retyped } from '../src/typed.ts';

export default class Unpin extends ReleaseCommand {
  static override summary = 'lift the hold that a rollback left';
  static override description =
    'Moves no traffic: what serves goes on serving until the next deploy has verified another revision.';
  static override examples = [
    '<%= config.bin %> unpin staging',
    '<%= config.bin %> unpin staging --service chat',
  ];
  static override args = environmentArg;
  static override flags = { ...configFlags, ...cloudFlags, ...serviceFlag, ...releaseFlags };
  protected override readonly restores: boolean = false;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Unpin);
    return this.conduct(flags, { ...flags, ...args }, (bench, deps) =>
      unpin(
        {
          environment: args.environment,
          targets: bench.targets,
          command: retyped(typedDeploy(args.environment, flags), 'unpin'),
        },
        deps,
      ),
    );
  }
}
