import { gateExitCode, gateFlags, judgeOnly, promotionArgs } from '../src/promotion-command.ts';
import { gateLines } from '../src/report/gate.ts';
import { gateDocument } from '../src/report/gate-json.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';

export default class Gate extends SluiceCommand {
  static override summary = 'judge whether an environment may be promoted, and change nothing';
  static override description =
    'Prints every condition of a promotion, met or not, with its reason and the next command: what serves is what was checked, every required check passed, people signed and approved, nothing of the source reaches the target, no freeze holds. Exit 0 ready, 15 blocked, 16 a person is waited for.';
  static override examples = [
    '<%= config.bin %> gate staging production',
    '<%= config.bin %> gate staging production --json',
  ];
  static override args = promotionArgs;
  static override flags = gateFlags;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Gate);
    const judged = await judgeOnly(args, flags, this.signal);
    this.print(gateLines(judged.judgement, this.theme(process.stdout)));
    this.endWith(gateExitCode(judged.judgement.verdict));
    return gateDocument(judged, false);
  }
}
