import * as Flags from '@oclif/core/flags';
import { targetsFor } from '../src/plan/rollback-choice.ts';
import { rollback } from '../src/release/rollback.ts';
import { ReleaseCommand, releaseFlags } from '../src/release-command.ts';
import {
  cloudFlags,
  configFlags,
  environmentArg,
  serviceFlag,
  takeOverFlag,
  typedDeploy,
} from '../src/terminal/flags.ts';
import { retyped } from '../src/typed.ts';

export default class Rollback extends ReleaseCommand {
  static override summary = 'go back to a revision that has served, and hold it there';
  static override description =
    'Goes to the last revision before the current one that served with a passed verdict, by the records of the ledger; when they do not tell for sure, it lists what there is and does nothing. The revision is woken on a tag of its own and checked before it gets the traffic, then it must be what really serves and answers. Whatever fails, the former traffic is restored and proven. No deploy moves the traffic again until `sluice unpin`.';
  static override examples = [
    '<%= config.bin %> rollback production --reason "checkout answers 500"',
    '<%= config.bin %> rollback production --now',
    '<%= config.bin %> rollback staging --to chat-r1122-0447-cgn6',
    '<%= config.bin %> rollback staging --to 20261122T044736-staging-cgn6',
  ];
  static override args = environmentArg;
  static override flags = {
    to: Flags.string({
      description: 'a revision, or a release of this environment',
      helpValue: 'REVISION|RELEASE',
    }),
    reason: Flags.string({
      description: 'why, for the record and for whoever deploys next',
      helpValue: 'TEXT',
    }),
    now: Flags.boolean({
      description: 'move at once: no warming, no checks; what answers is proven all the same',
    }),
    'accept-schema-risk': Flags.boolean({
      description: 'go back past a database schema that is not backwards compatible',
    }),
    ...serviceFlag,
    ...takeOverFlag,
    ...configFlags,
    ...cloudFlags,
    ...releaseFlags,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Rollback);
    return this.conduct(flags, { ...flags, ...args }, (bench, deps) =>
      rollback(
        {
          environment: args.environment,
          targets: targetsFor(bench.targets, flags.to),
          to: flags.to,
          now: flags.now,
          reason: flags.reason?.trim() || 'no reason was given',
          takeOverTraffic: flags['take-over-traffic'],
          acceptSchemaRisk: flags['accept-schema-risk'],
          command: retyped(typedDeploy(args.environment, flags), 'rollback'),
        },
        deps,
      ),
    );
  }
}
