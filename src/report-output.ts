import { spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { errorMessage, SluiceError } from './errors.ts';
import type { Format } from './report/formats.ts';
import { sanitiseLine } from './terminal/sanitise.ts';

export type Written = { print: string[]; say: string[] };

type Document = {
  text: string;
  format: Format;
  release: string;
  markdown: () => Promise<string>;
};

type Wish = { output?: string | undefined; open: boolean; comment?: string | undefined };

const endings: Record<Format, string> = { md: 'md', html: 'html', json: 'json', junit: 'xml' };

/** Brings a report to where it is wanted: a file, the browser, a pull request; otherwise it is printed. */
export async function writeReport(document: Document, wish: Wish, signal: AbortSignal): Promise<Written> {
  const said: string[] = [];
  let file = wish.output === undefined ? undefined : resolve(wish.output);
  if (wish.open && file === undefined) {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-report-'));
    file = join(folder, `${document.release}.${endings[document.format]}`);
  }
  if (file !== undefined) {
    await save(file, document.text);
    said.push(`written to ${file}`);
  }
  if (wish.open && file !== undefined) said.push(await show(file));
  if (wish.comment !== undefined) said.push(await comment(wish.comment, await document.markdown(), signal));
  const printed = file === undefined && wish.comment === undefined ? [document.text.trimEnd()] : [];
  return { print: printed, say: said };
}

async function save(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new SluiceError('usage', {
      what: `The report cannot be written to ${file}.`,
      why: errorMessage(error),
      next: ['choose another --output'],
    });
  }
}

/** Where no browser can be started, the file is there all the same. */
async function show(file: string): Promise<string> {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', file]
      : process.platform === 'win32'
        ? ['explorer', file]
        : ['xdg-open', file];
  const started = await new Promise<boolean>((done) => {
    const child = spawn(command ?? '', args, { detached: true, stdio: 'ignore' });
    child.on('error', () => done(false));
    child.on('spawn', () => done(true));
    child.unref();
  });
  return started ? 'opened in the browser' : `no browser could be started here; open ${file} yourself`;
}

/** GitHub takes 65,536 characters. */
const commentLimit = 65_000;
const commentWithinMs = 30_000;

/** `gh` knows an issue and a pull request by the same numbers, and takes their URLs. */
async function comment(target: string, markdown: string, signal: AbortSignal): Promise<string> {
  if (!/^(\d{1,10}|https:\/\/[^\s]+)$/.test(target)) {
    throw new SluiceError('usage', {
      what: `"${sanitiseLine(target, 80)}" is no number or URL of a pull request or issue.`,
      next: ['sluice report --comment 135'],
    });
  }
  const kind = target.includes('/pull/') ? 'pr' : 'issue';
  const body =
    markdown.length <= commentLimit
      ? markdown
      : `${markdown.slice(0, commentLimit)}\n\n*Cut here: the whole report is \`sluice report\`.*\n`;
  const { code, errors } = await gh([kind, 'comment', target, '--body-file', '-'], body, signal);
  if (code === 0) return `posted to ${target}`;
  throw new SluiceError('unknown', {
    what: `The report was not posted to ${target}.`,
    why: sanitiseLine(errors, 500) || `gh ended with ${code}`,
    next: ['gh auth status'],
  });
}

function gh(
  args: string[],
  input: string,
  signal: AbortSignal,
): Promise<{ code: number | null; errors: string }> {
  return new Promise((done, failed) => {
    const child = spawn('gh', args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(commentWithinMs)]),
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (errors.length < 10_000) errors += chunk.toString();
    });
    child.on('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT';
      failed(
        missing
          ? new SluiceError('usage', {
              what: 'The gh command is not on this machine, so nothing was posted.',
              next: [
                'install it from https://cli.github.com, then `gh auth login`',
                'sluice report --output report.md',
              ],
            })
          : error,
      );
    });
    child.on('close', (code) => done({ code, errors }));
    // A gh that ends early closes the pipe; its exit tells.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
