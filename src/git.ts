import { execFile } from 'node:child_process';

/** What a repository tells. Nothing here throws: outside a repository, or without git, it tells nothing. */
export type Git = {
  /** Is the first commit part of the history of the second? null: git cannot tell, e.g. in a shallow clone. */
  isAncestor(commit: string, of: string): Promise<boolean | null>;
  /** Commits that came after the first one, newest first, at most `limit`. */
  commitsBetween(after: string, upTo: string, limit: number): Promise<{ id: string; subject: string }[]>;
  /** The commit that is checked out, and whether anything under the folder differs from it. */
  status(): Promise<{ commit: string | null; dirty: boolean }>;
  /** The output of a command; null when it fails. */
  ask(...args: string[]): Promise<string | null>;
};

const timeoutMs = 5_000;
const maxOutput = 1 << 20;
/** From a record that anybody may have written: nothing else goes on a command line. */
const commitPattern = /^[0-9a-f]{7,64}$/;

export function openGit(dir: string): Git {
  const run = (args: readonly string[]): Promise<{ code: number; stdout: string }> =>
    new Promise((resolve) => {
      const options = { timeout: timeoutMs, maxBuffer: maxOutput };
      execFile('git', ['-C', dir, ...args], options, (error, stdout) =>
        resolve({ code: error ? (typeof error.code === 'number' ? error.code : 128) : 0, stdout }),
      );
    });
  const ask: Git['ask'] = async (...args) => {
    const { code, stdout } = await run(args);
    return code === 0 ? stdout.trim() : null;
  };
  return {
    ask,
    async status() {
      // Both in one process: to start one takes some milliseconds.
      const told = await ask('status', '--porcelain=v2', '--branch', '--untracked-files=normal', '--', '.');
      const lines = (told ?? '').split('\n').filter((line) => line !== '');
      const [, commit = null] = /^# branch\.oid ([0-9a-f]+)$/m.exec(told ?? '') ?? [];
      return { commit, dirty: lines.some((line) => !line.startsWith('#')) };
    },
    async isAncestor(commit, of) {
      if (![commit, of].every((each) => commitPattern.test(each))) return null;
      const { code } = await run(['merge-base', '--is-ancestor', commit, of]);
      return code === 0 ? true : code === 1 ? false : null;
    },
    async commitsBetween(after, upTo, limit) {
      if (![after, upTo].every((each) => commitPattern.test(each))) return [];
      const told = await ask('log', `--max-count=${limit}`, '--format=%H %s', `${after}..${upTo}`);
      return (told ?? '').split('\n').flatMap((line) => {
        const [, id, subject] = /^([0-9a-f]{40,64}) (.*)$/.exec(line) ?? [];
        return id && subject !== undefined ? [{ id, subject: subject.slice(0, 200) }] : [];
      });
    },
  };
}
