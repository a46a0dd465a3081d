import { Config } from '@oclif/core/config';
import { run as runOclif } from '@oclif/core/run';
import { z } from 'zod';
import { exitCodes } from './errors.ts';
import { describeFailure, type Failure } from './terminal/failure.ts';
import { failureDocument, failureLines } from './terminal/show-failure.ts';
import { nearest } from './terminal/suggest.ts';
import { themeFor } from './terminal/theme.ts';

// Compiling a schema pays after some hundred uses; a command uses most of them once.
z.config({ jitless: true });

/** Runs one command; every error ends in a message and an exit code of `errors.ts`. */
export async function run(root: string, args: string[]): Promise<never> {
  // What libraries warn of (a metadata server that is not there) is no message for a user.
  if (!debugging()) process.removeAllListeners('warning');
  const argv = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
  try {
    await runOclif(argv, { root });
  } catch (error) {
    // A command tells its own errors; what arrives here happened before one was found.
    const failure = (await unknownCommand(root, argv, error)) ?? describeFailure(error, debugging());
    tell(failure, argv);
    process.exitCode = failure.exitCode;
  }
  // A socket or timer that somebody left open must not keep the terminal waiting.
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit();
}

function debugging(): boolean {
  return process.env['SLUICE_DEBUG'] === '1';
}

function tell(failure: Failure, argv: string[]): void {
  if (argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(failureDocument(failure), null, 2)}\n`);
    return;
  }
  const theme = themeFor(process.stderr, argv.includes('--no-color'));
  process.stderr.write(`${failureLines(failure, theme).join('\n')}\n`);
}

const usage = { reason: 'usage', exitCode: exitCodes.usage } as const;

async function unknownCommand(root: string, argv: string[], error: unknown): Promise<Failure | undefined> {
  if (!(error instanceof Error) || !/^command .* not found$/.test(error.message)) return undefined;
  const end = argv.findIndex((arg) => arg.startsWith('-'));
  const words = argv.slice(0, end < 0 ? undefined : end);
  const config = await Config.load({ root });
  const known = config.commandIDs.map((id) => id.replaceAll(':', ' '));
  const whole = known.find((id) => words.join(' ').startsWith(`${id} `));
  if (whole) {
    const [extra] = words.slice(whole.split(' ').length);
    return { what: `\`sluice ${whole}\` takes no \`${extra}\``, next: [`sluice ${whole} --help`], ...usage };
  }
  const meant = nearestCommand(words, known);
  return {
    what: `there is no command \`sluice ${words.join(' ')}\``,
    next: meant ? [`sluice ${meant}`] : ['sluice --help'],
    ...usage,
  };
}

/** The known command that the first words are nearest to, with the words that follow it. */
function nearestCommand(words: string[], known: string[]): string | undefined {
  for (const length of [2, 1]) {
    const ofLength = known.filter((id) => id.split(' ').length === length);
    const meant = nearest(words.slice(0, length).join(' '), ofLength);
    if (meant) return [meant, ...words.slice(length)].join(' ');
  }
  return undefined;
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // A closed pipe never drains.
    if (stream.destroyed || stream.errored) resolve();
    else stream.write('', () => resolve());
  });
}
