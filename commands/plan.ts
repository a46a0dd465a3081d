import * as Flags from '@oclif/core/flags';
import { parseAssignments } from '../src/config/assignments.ts';
import { exitCodes } from '../src/errors.ts';
import { observe } from '../src/release/stages/observe.ts';
import { planLines } from '../src/report/plan.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';
import { cloudFlags, configFlags, deployFlags, environmentArg, typedDeploy } from '../src/terminal/flags.ts';
import { openWorkbench } from '../src/workbench.ts';

export default class Plan extends SluiceCommand {
  static override summary = 'show what deploy would start from, and change nothing';
  static override description =
    'Reads the service and the source and prints every field that a deploy would change, against the revision that serves, the steps it would take, and what stands in its way.';
  static override examples = [
    '<%= config.bin %> plan staging',
    '<%= config.bin %> plan staging --exit-code && echo nothing to deploy',
  ];
  static override args = environmentArg;
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    ...deployFlags,
    'exit-code': Flags.boolean({
      description: 'exit with 3 when there are changes, 10 when something blocks',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Plan);
    const { environment } = args;
    const bench = await openWorkbench({
      ...flags,
      environment,
      set: parseAssignments(flags.env ?? []),
      signal: this.signal,
    });
    try {
      const options = {
        revisionSuffix: '<made-by-deploy>',
        takeOverTraffic: flags['take-over-traffic'],
      };
      const command = typedDeploy(environment, flags);
      const observed = await Promise.all(
        bench.targets.map((target) =>
          observe({ target, cloud: bench.cloud, signal: this.signal, command }, options),
        ),
      );
      const plans = observed.map(({ plan }) => plan);
      this.print(plans.flatMap((plan) => planLines(plan, this.theme(process.stdout))));
      if (flags['exit-code']) this.endWith(exitCodeOf(plans));
      return { version: 1, plans };
    } finally {
      await bench.close();
    }
  }
}

function exitCodeOf(plans: { action: string; blockers: unknown[] }[]): number {
  if (plans.some(({ blockers }) => blockers.length > 0)) return exitCodes.preflight;
  return plans.some(({ action }) => action !== 'none') ? exitCodes.changes : exitCodes.done;
}
