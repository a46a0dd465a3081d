import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';

const command = fileURLToPath(new URL('fixtures/command.ts', import.meta.url));
const bin = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const options = { reject: false, env: { NO_COLOR: '1', NODE_NO_WARNINGS: '1' }, timeout: 30_000 } as const;
const run = (...args: string[]) => execa(process.execPath, [command, ...args], options);
const sluice = (...args: string[]) => execa(process.execPath, [bin, ...args], options);

describe('what a command prints', () => {
  test('data goes to stdout, words to stderr', async () => {
    const { stdout, stderr, exitCode } = await run('result');
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'the result', stderr: 'working', exitCode: 0 });
  });

  test('--json prints one document and nothing else on stdout', async () => {
    const { stdout } = await run('result', '--json');
    expect(JSON.parse(stdout)).toEqual({ version: 1, result: true });
  });

  test('--quiet leaves the result', async () => {
    const { stdout, stderr } = await run('result', '--quiet');
    expect({ stdout, stderr }).toEqual({ stdout: 'the result', stderr: '' });
  });

  test('a command ends with the code it chose', async () => {
    expect((await run('changes')).exitCode).toBe(3);
    expect((await run('changes', '--json')).exitCode).toBe(3);
  });
});

describe('how a failure ends', () => {
  test('what, why and next, in this order', async () => {
    const { stdout, stderr, exitCode } = await run('problem');
    expect(stderr).toBe('✖ it is not ready\n  a role is missing\n→ grant it');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 10 });
  });

  test('as a document with --json', async () => {
    const { stdout, stderr, exitCode } = await run('problem', '--json');
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      error: {
        reason: 'preflight',
        exitCode: 10,
        what: 'it is not ready',
        why: 'a role is missing',
        next: ['grant it'],
      },
    });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 10 });
  });

  test("a cloud's refusal has no stack and no escapes", async () => {
    const { stderr, exitCode } = await run('cloud');
    expect(stderr).toMatch(
      /^✖ run\.services\.update was refused: stale etag\n {2}about chat \(conflict\)\n→ /,
    );
    expect(exitCode).toBe(17);
  });

  test('our own fault says so, and shows its stack only when asked', async () => {
    const { stderr, exitCode } = await run('bug');
    expect(stderr).toContain('✖ Sluice met something it did not expect: undefined is not a service');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(1);
    const debugged = await execa(process.execPath, [command, 'bug'], {
      ...options,
      env: { ...options.env, SLUICE_DEBUG: '1' },
    });
    expect(debugged.stderr).toMatch(/^\s+at /m);
  });
});

describe('bad usage ends with 2', () => {
  test.each([
    [['x', '--tokne=hush'], /^✖ there is no flag --tokne here\n→ did you mean --token\?/],
    [['x', '--level', 'mid'], /^✖ Expected --level=mid to be one of: low, high/],
    [[], /^✖ MODE is missing\n {2}MODE: how it ends/],
    [['result', 'extra'], /^✖ Unexpected argument: extra/],
  ])('%j', async (args, message) => {
    const { stderr, exitCode } = await run(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('hush');
    expect(exitCode).toBe(2);
  });

  test('no flag value leaks into the document', async () => {
    const { stdout } = await run('x', '--token', 'hush', '--nope=hush', '--json');
    expect(JSON.parse(stdout).error).toMatchObject({ reason: 'usage', exitCode: 2 });
    expect(stdout).not.toContain('hush');
  });

  test('an unknown command suggests a near one', async () => {
    const { stderr, exitCode } = await sluice('statsu');
    expect(stderr).toBe('✖ there is no command `sluice statsu`\n→ sluice status');
    expect(exitCode).toBe(2);
    const { stdout } = await sluice('statsu', '--json');
    expect(JSON.parse(stdout).error).toMatchObject({ reason: 'usage', next: ['sluice status'] });
  });
});

describe('interruption', () => {
  const start = async (mode: string, env: Record<string, string> = {}) => {
    const child = execa(process.execPath, [command, mode], { ...options, env: { ...options.env, ...env } });
    const seen = child.iterable();
    return { child, line: async () => (await seen.next()).value };
  };

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends a waiting command with 130', async (signal) => {
    const { child, line } = await start('wait');
    expect(await line()).toBe('waiting');
    child.kill(signal);
    expect(await child).toMatchObject({ exitCode: 130, stderr: '✖ interrupted' });
  });

  test('npm passes the same Ctrl-C on again: that is not a second one', async () => {
    const { child, line } = await start('stubborn', { RESTORES: '1' });
    await line();
    child.kill('SIGINT');
    expect(await line()).toBe('restoring');
    child.kill('SIGINT');
    // The third comes after the time within which two signals are one press.
    const later = setInterval(() => child.kill('SIGINT'), 500);
    const result = await child;
    clearInterval(later);
    expect(result.exitCode).toBe(18);
    expect(result.stderr).toContain('interrupted: restoring … press Ctrl-C again to stop at once');
    expect(result.stderr).toContain('the outcome is unknown. What is known stands in the ledger');
  });

  test('a reader that goes away ends a stream quietly', async () => {
    const { child, line } = await start('flood');
    expect(await line()).toBe('line');
    child.stdout.destroy();
    expect(await child).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
