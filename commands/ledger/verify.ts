import { exitCodes } from '../../src/errors.ts';
import { verifyLedger } from '../../src/ledger/verify.ts';
import { verifyLines } from '../../src/report/ledger.ts';
import { SluiceCommand } from '../../src/terminal/base-command.ts';
import { cloudFlags, configFlags } from '../../src/terminal/flags.ts';
import { openRecords } from '../../src/workbench.ts';

export default class Verify extends SluiceCommand {
  static override summary = 'follow the digest chain of every record';
  static override description =
    'Each line of a record carries a digest over the line before and itself: one that was changed, removed, reordered or cut is found. Exit 17 when a record has been damaged.';
  static override examples = ['<%= config.bin %> ledger verify', '<%= config.bin %> ledger verify --json'];
  static override flags = { ...configFlags, ...cloudFlags };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Verify);
    const records = await openRecords({ ...flags, signal: this.signal });
    try {
      const found = await verifyLedger(records.ledger);
      this.print(verifyLines(found, this.theme(process.stdout)));
      if (found.damaged.length > 0) this.endWith(exitCodes.conflict);
      return { version: 1, ...found };
    } finally {
      await records.close();
    }
  }
}
