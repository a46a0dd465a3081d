import * as Flags from '@oclif/core/flags';
import { parseAssignments } from '../src/config/assignments.ts';
import { deploy } from '../src/release/deploy.ts';
import type { ReleaseState } from '../src/release/state.ts';
import { ReleaseCommand, releaseFlags } from '../src/release-command.ts';
import { cloudFlags, configFlags, deployFlags, environmentArg, typedDeploy } from '../src/terminal/flags.ts';

export default class Deploy extends ReleaseCommand {
  static override summary = 'take a service from source to a verified revision that serves';
  static override description =
    'Builds the image, makes the new revision as a tagged 0 % candidate beside what serves, follows its startup, runs the checks on it, moves the traffic, proves who answers, and runs the post-deploy checklist. Whatever fails after the first write, the former traffic is restored and proven.';
  static override examples = [
    '<%= config.bin %> deploy staging',
    '<%= config.bin %> deploy staging --local --dir templates/chat',
    '<%= config.bin %> deploy staging --env LOG_LEVEL=debug',
    '<%= config.bin %> deploy staging --watch',
    '<%= config.bin %> deploy staging --json > release.json',
  ];
  static override args = environmentArg;
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    ...deployFlags,
    ...releaseFlags,
    watch: Flags.boolean({
      description: 'again on each saved change or commit, until the verdict is ready',
      // As `exclusive` does, which the usage line cannot show for a flag that excludes two groups.
      relationships: [{ type: 'none', flags: ['json', 'github'] }],
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Deploy);
    const options = { ...flags, ...args, set: parseAssignments(flags.env ?? []) };
    const command = typedDeploy(args.environment, flags);
    const once = (): Promise<ReleaseState> =>
      this.release(flags, options, (bench, deps) =>
        deploy(
          { ...args, targets: bench.targets, takeOverTraffic: flags['take-over-traffic'], command },
          deps,
        ),
      );
    return this.document(flags.watch ? await this.watching(options, once) : await once());
  }
}
