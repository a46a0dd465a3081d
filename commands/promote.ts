import * as Flags from '@oclif/core/flags';
import {
  gateExitCode,
  gateFlags,
  gateRequest,
  judgeOnly,
  promotionArgs,
  promotionFlags,
  withSource,
} from '../src/promotion-command.ts';
import { type Judged, promote } from '../src/release/promote.ts';
import { ReleaseCommand, releaseFlags } from '../src/release-command.ts';
import { gateLines } from '../src/report/gate.ts';
import { gateDocument } from '../src/report/gate-json.ts';
import { planLines } from '../src/report/plan.ts';
import { takeOverFlag } from '../src/terminal/flags.ts';

export default class Promote extends ReleaseCommand {
  static override summary = 'take what is verified in one environment to another, the very digest';
  static override description =
    "Judges the gate, then takes the image that serves in SOURCE, by its digest, through the same runbook as a deploy with TARGET's config: candidate, startup, checks, traffic, proof, checklist. The gate is judged again right before the first write.";
  static override examples = [
    '<%= config.bin %> promote staging production',
    '<%= config.bin %> promote staging production --dry-run',
    '<%= config.bin %> promote staging production --override "hotfix for the outage of today"',
  ];
  static override args = promotionArgs;
  static override flags = {
    ...gateFlags,
    ...promotionFlags,
    ...takeOverFlag,
    ...releaseFlags,
    'dry-run': Flags.boolean({ description: 'print the verdict and the plan, and write nothing' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Promote);
    const { signal } = this;
    if (flags['dry-run']) return this.rehearsed(await judgeOnly(args, flags, signal));
    return this.conduct(flags, { ...flags, environment: args.target }, (bench, deps) => {
      const request = gateRequest(args, flags, deps.actor);
      return withSource(bench, args.source, flags, signal, (gate) => promote(request, { ...deps, ...gate }));
    });
  }

  private rehearsed(judged: Judged): unknown {
    const theme = this.theme(process.stdout);
    this.print([
      ...judged.promotable.flatMap(({ plan }) => [...planLines(plan, theme), '']),
      ...gateLines(judged.judgement, theme),
    ]);
    this.endWith(gateExitCode(judged.judgement.verdict));
    return gateDocument(judged, true);
  }
}
