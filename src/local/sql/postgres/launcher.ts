import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Linux's `nobody`. */
const nobody = 65_534;

const tied = ['--pdeathsig', 'SIGKILL', '--'];
/** Postgres refuses root. As nobody it still has to get at its files, wherever root keeps the local cloud's. */
const asNobody = [
  ...['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'],
  ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
];

export type PostgresLauncher = {
  /** Put before a command line: the process ends when the local cloud dies, where the platform can do that. */
  command: string[];
  /** Who must own the files; undefined for whoever runs the local cloud. */
  owner: number | undefined;
};

/** Throws when this user cannot run Postgres. `postgres` is the binary to try it with. */
export async function findPostgresLauncher(postgres: string): Promise<PostgresLauncher> {
  if (process.getuid?.() === 0) {
    const command = [...asNobody, ...tied];
    const why = await failureOf([...command, postgres, '--version']);
    if (why === undefined) return { command, owner: nobody };
    throw new Error(
      `Postgres does not run as root, and root cannot start it as nobody here (${why}): start the local cloud as another user`,
    );
  }
  const command = ['setpriv', ...tied];
  const why = await failureOf([...command, postgres, '--version']);
  return { command: why === undefined ? command : [], owner: undefined };
}

async function failureOf([file = '', ...args]: string[]): Promise<string | undefined> {
  try {
    await promisify(execFile)(file, args, { timeout: 10_000 });
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return text.trim().split('\n').at(-1);
  }
}
