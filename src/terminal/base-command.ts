import { Command } from '@oclif/core/command';
import { CloudError } from '../cloud/ports/call.ts';
import { exitCodes } from '../errors.ts';
import { describeFailure } from './failure.ts';
import { globalFlags } from './flags.ts';
import { type Interruption, watchInterruption } from './interruption.ts';
import { failureDocument, failureLines } from './show-failure.ts';
import { type Theme, themeFor } from './theme.ts';

/**
 * What every command of Sluice has in common. `run()` returns the document that `--json` prints and shows
 * the same to a person with `print`; data goes to stdout, words to stderr; whatever is thrown ends as a
 * message and an exit code, never as a stack trace.
 */
export abstract class SluiceCommand extends Command {
  static override enableJsonFlag = true;
  static override baseFlags = globalFlags;

  /** The run has something to put back when it is interrupted: the first Ctrl-C says so. */
  protected readonly restores: boolean = false;

  /** Where words for a person go; a task list on the screen takes it over. */
  protected tell: (line: string) => void = (line) => {
    process.stderr.write(`${line}\n`);
  };

  #interruption: Interruption | undefined;

  protected override async init(): Promise<void> {
    await super.init();
    this.#interruption = watchInterruption({ restores: this.restores, say: (line) => this.tell(line) });
  }

  /** The one signal that ends everything. */
  protected get signal(): AbortSignal {
    return this.#interruption?.signal ?? AbortSignal.abort();
  }

  protected get quiet(): boolean {
    return this.given('--quiet');
  }

  /** Colours for the stream that the text is meant for. */
  protected theme(stream: NodeJS.WritableStream): Theme {
    return themeFor(stream, this.given('--no-color'));
  }

  /** The result as text, on stdout; nothing with --json. */
  protected print(lines: readonly string[]): void {
    if (!this.jsonEnabled() && lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
  }

  /** Words for a person, on stderr; nothing with --quiet. */
  protected say(line: string): void {
    if (!this.quiet) this.tell(line);
  }

  /** Ends the command with this code once `run` has returned. */
  protected endWith(exitCode: number): void {
    process.exitCode = exitCode;
  }

  protected override async catch(error: unknown): Promise<void> {
    // Arguments that could not be parsed: oclif would add a warning that nobody parsed them.
    this.parsed = true;
    const cause = isAbort(error) && this.signal.aborted ? this.signal.reason : error;
    const failure = describeFailure(cause, process.env['SLUICE_DEBUG'] === '1');
    this.endWith(failure.exitCode);
    if (failure.exitCode === exitCodes.done) return;
    if (this.jsonEnabled()) this.logJson(failureDocument(failure));
    else process.stderr.write(`${failureLines(failure, this.theme(process.stderr)).join('\n')}\n`);
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    this.#interruption?.dispose();
    await super.finally(error);
  }

  protected override logJson(document: unknown): void {
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  }

  /** oclif's own would print every flag's value. */
  protected override toErrorJson(error: unknown): unknown {
    return failureDocument(describeFailure(error));
  }

  /** Known before the flags are parsed, because parsing can fail. */
  private given(flag: string): boolean {
    const end = this.argv.indexOf('--');
    return this.argv.slice(0, end < 0 ? undefined : end).includes(flag);
  }
}

/** Node's and the adapters' own words for a wait that the signal ended. */
function isAbort(error: unknown): boolean {
  if (error instanceof CloudError) return error.kind === 'aborted';
  return error instanceof Error && error.name === 'AbortError';
}
