import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { exitCodes } from '../../src/errors.ts';
import { copyLedger } from '../../src/ledger/copy.ts';
import { openStores } from '../../src/ledger-stores.ts';
import { copyLines } from '../../src/report/ledger.ts';
import { SluiceCommand } from '../../src/terminal/base-command.ts';
import { cloudFlags } from '../../src/terminal/flags.ts';

const place = { required: true, ignoreStdin: true } as const;

export default class Copy extends SluiceCommand {
  static override summary = 'copy the records of one ledger into another, where they are absent';
  static override description =
    'Copies records, attachments, signatures and approvals between folders and buckets, not locks. Again is harmless. What is there with another content is never overwritten: it is told, and the exit code is 17.';
  static override examples = [
    '<%= config.bin %> ledger copy .sluice/ledger gs://my-team-ledger/chat',
    '<%= config.bin %> ledger copy gs://my-team-ledger/chat ./records',
  ];
  static override args = {
    from: Args.string({ description: 'a folder, or gs://BUCKET/PREFIX', ...place }),
    to: Args.string({ description: 'a folder, or gs://BUCKET/PREFIX', ...place }),
  };
  static override flags = {
    ...cloudFlags,
    project: Flags.string({
      description: 'the project that is asked about buckets; by default the one of the credentials',
      helpValue: 'PROJECT',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Copy);
    const stores = await openStores(args, { ...flags, signal: this.signal });
    try {
      const result = await copyLedger(stores.from, stores.to);
      this.print(copyLines(result, this.theme(process.stdout)));
      if (result.differ.length > 0) this.endWith(exitCodes.conflict);
      return { version: 1, ...result };
    } finally {
      await stores.close();
    }
  }
}
