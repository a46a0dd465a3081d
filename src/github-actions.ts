import { randomBytes } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { SluiceError } from './errors.ts';
import { formerStarts } from './ledger/former-start.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { ReleaseState } from './release/state.ts';
import { annotationLines, boundedSummary, maskLines, outputBlock, outputsOf } from './report/github.ts';
import { markdownReport } from './report/markdown/page.ts';
import { reportOf } from './report/release-report.ts';

export type GithubActions = {
  /** Writes annotations, outputs and the job summary of a release that has ended. */
  tell(state: ReleaseState): Promise<void>;
  /** Lets workflow commands through again; idempotent. */
  end(): void;
};

type Surroundings = {
  env: NodeJS.ProcessEnv;
  write: (text: string) => unknown;
  secrets: string[];
  ledger: Pick<Ledger, 'releases' | 'read'>;
};

/** Masks first, then no text of a log is a command to the runner until `end`. */
export function openGithubActions({ env, write, secrets, ledger }: Surroundings): GithubActions {
  // Anywhere else a mask would show what it is to hide.
  if (env['GITHUB_ACTIONS'] !== 'true') {
    throw new SluiceError('usage', {
      what: '--github is for a step of a GitHub workflow, and this is none (GITHUB_ACTIONS is not set).',
      next: ['the same command without --github'],
    });
  }
  for (const line of maskLines(secrets)) write(`${line}\n`);
  const token = randomBytes(16).toString('hex');
  write(`::stop-commands::${token}\n`);
  let open = true;
  const end = (): void => {
    if (open) write(`\n::${token}::\n`);
    open = false;
  };
  return {
    end,
    async tell(state) {
      end();
      for (const line of annotationLines(state)) write(`${line}\n`);
      const { GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary } = env;
      if (output) {
        await appendFile(output, outputBlock(outputsOf(state), `sluice-${randomBytes(16).toString('hex')}`));
      }
      if (summary) {
        const report = reportOf(state, await formerStarts(ledger, state));
        await appendFile(summary, boundedSummary(markdownReport(report)));
      }
    },
  };
}
