import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { makePlace, root } from './kit.ts';

const place = await makePlace();
const { sluice } = place;
const sample = await readFile(join(place.dir, 'sluice.yaml'), 'utf8');

const failure = z.strictObject({
  version: z.literal(1),
  error: z.strictObject({
    reason: z.literal('usage'),
    exitCode: z.literal(2),
    what: z.string().min(1),
    why: z.string(),
    next: z.array(z.string()),
  }),
});

/** What is typed wrong, and what must be said of it. The cloud is never reached, nor started. */
describe('wrong usage ends with 2, says what and what to type next', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown environment', ['plan', 'stagin', '--local'], /^✖ .*stagin.*[\s\S]*staging/],
    ['an unknown service', ['deploy', 'staging', '--local', '--service', 'chta'], /^✖ .*chta.*[\s\S]*chat/],
    [
      'an unknown command',
      ['deplyo', 'staging'],
      /^✖ there is no command `sluice deplyo staging`\n→ sluice deploy staging$/,
    ],
    ['an unknown command of a topic', ['local', 'strat'], /^✖ there is no command.*\n→ sluice local start$/],
    ['a missing argument', ['deploy'], /^✖ ENVIRONMENT is missing\n[\s\S]*→ /],
    ['an argument too many', ['status', 'staging', 'production'], /^✖ .*production/],
    [
      'an unknown flag',
      ['deploy', 'staging', '--locl'],
      /^✖ there is no flag --locl here\n→ did you mean --local\?/,
    ],
    ['a flag without its value', ['deploy', 'staging', '--env'], /^✖ .*--env/],
    [
      'a variable without =',
      ['deploy', 'staging', '--local', '--env', 'NAME'],
      /^✖ .*NAME.*[\s\S]*KEY=VALUE/,
    ],
    ['a wrong choice', ['logs', 'staging', '--severity', 'LOUD'], /^✖ .*LOUD|--severity=LOUD/],
    ['a number out of range', ['logs', 'staging', '--limit', '0'], /^✖ .*limit/i],
    [
      'a config file that is not there',
      ['plan', 'staging', '--config', 'nope.yaml'],
      /^✖ .*nope\.yaml[\s\S]*→ /,
    ],
    ['a folder that is not there', ['plan', 'staging', '--dir', 'nowhere'], /^✖ .*nowhere[\s\S]*→ /],
    ['no environment and no file', ['startup'], /^✖ Whose startup\?[\s\S]*→ sluice startup staging/],
    [
      'an unknown template',
      ['init', '--template', 'chta'],
      /^✖ There is no template "chta"\.[\s\S]*→ sluice init --template chat/,
    ],
  ])('%s', async (_name, args, message) => {
    const text = await sluice(args);
    expect(text.stderr).toMatch(message);
    expect(text).toMatchObject({ exitCode: 2, stdout: '' });
    const json = await sluice([...args, '--json']);
    expect(json).toMatchObject({ exitCode: 2, stderr: '' });
    expect(() => failure.parse(JSON.parse(json.stdout))).not.toThrow();
  });
});

test('an argument is never read from a pipe', async () => {
  const { exitCode, stderr } = await sluice(['plan', '--local'], { input: 'staging' });
  expect(stderr).toMatch(/^✖ ENVIRONMENT is missing/);
  expect(exitCode).toBe(2);
});

describe('a config that cannot be used ends with 2', () => {
  test.each<[string, string, RegExp]>([
    ['wrong YAML', 'services: [\n', /^✖ [\s\S]*sluice\.yaml:\d+:\d+/],
    [
      'an unknown key',
      sample.replace('minInstances:', 'minInstnces:'),
      /sluice\.yaml:\d+:\d+[\s\S]*minInstnces[\s\S]*minInstances/,
    ],
    ['a wrong value', sample.replace('cpu: 1', 'cpu: lots'), /sluice\.yaml:\d+:\d+[\s\S]*cpu[\s\S]*lots/],
    ['an unset placeholder', sample.replace('"{env}"', `"\${NOT_SET_ANYWHERE}"`), /NOT_SET_ANYWHERE/],
    ['an e2e bypass where it is not allowed', sample.replace('    e2e: true\n', ''), /e2e/],
    ['nothing', '', /^✖ /],
    ['escapes and workflow commands', 'services: "\\u001b[31m\n::set-env name=X::y"\n', /^✖ /],
  ])('%s', async (_name, config, message) => {
    await place.write('sluice.yaml', config);
    const { exitCode, stdout, stderr } = await sluice(['plan', 'staging', '--local']);
    await place.write('sluice.yaml', sample);
    expect(stderr).toMatch(message);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).not.toMatch(/^::/m);
  });

  test('no config says how to get one', async () => {
    await rm(join(place.dir, 'sluice.yaml'));
    const { exitCode, stderr } = await sluice(['deploy', 'staging', '--local']);
    await place.write('sluice.yaml', sample);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^✖ .*sluice\.yaml[\s\S]*→ .*sluice init/);
  });
});

describe('help', () => {
  const commands = [
    'deploy',
    'init',
    'logs',
    'plan',
    'startup',
    'status',
    'local reset',
    'local start',
    'local status',
    'local stop',
  ];

  test.each(commands)('sluice %s --help teaches by example', async (command) => {
    const { exitCode, stdout, stderr } = await sluice([...command.split(' '), '--help']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^USAGE$/m);
    expect(stdout).toMatch(new RegExp(`^EXAMPLES\\n[\\s\\S]*\\$ sluice ${command}`, 'm'));
  });

  test.each([[['--help']], [['help']], [[]]])('sluice %j lists every command', async (args) => {
    const { exitCode, stdout } = await sluice(args);
    expect(exitCode).toBe(0);
    for (const command of commands) expect(stdout).toContain(command.split(' ')[0]);
  });

  test('--version', async () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
    for (const flag of ['--version', '-v']) {
      expect(await sluice([flag])).toEqual({ exitCode: 0, stdout: `sluice ${version}`, stderr: '' });
    }
  });
});

test('none of this has started a local cloud', async () => {
  const { stdout } = await sluice(['local', 'status', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ state: 'stopped' });
});
