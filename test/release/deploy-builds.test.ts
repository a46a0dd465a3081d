import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, type Outcome, openStand, type Stand, type Subject, soundness } from './kit.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await openStand({ builds: true });
});
afterAll(() => stand.close());

const build = { repository: 'europe-west1-docker.pkg.dev/demo/apps/chat', timeoutSeconds: 60 };

const server = `
const http = require('node:http');
http
  .createServer((request, response) => {
    response.statusCode = request.url === process.env.FAILS ? 500 : 200;
    response.end(JSON.stringify({ revision: process.env.K_REVISION }));
  })
  .listen(process.env.PORT, () => console.log('Server listening on port ' + process.env.PORT));
`;

function given(service: string, scripts: Record<string, string> = {}): Subject {
  const chat = stand.subject(service, { build });
  write(chat, 'package.json', JSON.stringify({ name: 'app', version: '1.0.0', scripts }));
  const packages = { '': { name: 'app', version: '1.0.0' } };
  write(chat, 'package-lock.json', JSON.stringify({ name: 'app', lockfileVersion: 3, packages }));
  write(chat, 'server.js', server);
  return chat;
}

function write(chat: Subject, name: string, text: string): void {
  writeFileSync(join(chat.target.sourceDir, name), text);
}

function builds(outcome: Outcome): number {
  return outcome.events.filter(({ event }) => event.type === 'build.started').length;
}

test.concurrent('of two services with the same source each builds from its own upload', async () => {
  const outcome = await given('twin-one').deploy({ beside: [given('twin-two')] });
  expect(outcome).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(builds(outcome)).toBe(2);
});

test.concurrent('a source is built once, whatever becomes of its candidates', async () => {
  const chat = given('built');
  const first = await chat.deploy();
  expect(first).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(soundness(first)).toEqual([]);
  expect(builds(first)).toBe(1);

  const same = await chat.deploy();
  expect(same.service.finished?.outcome).toBe('unchanged');
  expect(builds(same)).toBe(0);

  write(chat, 'server.js', `${server}// changed\n`);
  const failed = await chat.deploy({ patch: { env: { FAILS: '/candidate' } } });
  expect(failed).toMatchObject({ exitCode: 13, rolledBack: true });
  expect(builds(failed)).toBe(1);
  const again = await chat.deploy();
  expect(soundness(again)).toEqual([]);
  expect(again).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(builds(again)).toBe(0);
  expect(again.service.build).toMatchObject({ outcome: 'reused', digest: failed.service.build?.digest });
  expect(await chat.serves()).toBe(again.service.revision);
});

test.concurrent('a build that gives the serving digest again changes nothing', async () => {
  const chat = given('same-digest', { build: 'rm -f notes.txt' });
  const first = await chat.deploy();
  expect(first.exitCode).toBe(0);
  const before = await chat.live();
  write(chat, 'notes.txt', 'only in the source');
  const outcome = await chat.deploy();
  expect(soundness(outcome)).toEqual([]);
  expect(builds(outcome)).toBe(1);
  expect(outcome).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(outcome.service.finished?.outcome).toBe('unchanged');
  expect((await chat.live()).etag).toBe(before.etag);
});

test.concurrent('an image that somebody else put under our annotations is not taken for the source', async () => {
  const chat = given('swapped');
  const first = await chat.deploy();
  write(chat, 'server.js', `${server}// other\n`);
  const second = await chat.deploy();
  const [one, two] = [first, second].map((each) => each.service.build?.digest);
  expect(one).not.toBe(two);
  await chat.meddle(() => ({
    template: {
      ...{ revision: 'swapped-theirs', set: { image: `${build.repository}@${one}` }, annotations: {} },
      ...{ env: { set: {}, remove: [] }, secrets: { set: {}, remove: [] }, labels: { set: {}, remove: [] } },
    },
  }));
  const next = await chat.deploy({ patch: { env: { VERSION: '3' } } });
  expect(next).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(next.service.build?.digest).toBe(two);
});

test.concurrent('a build that fails touches nothing and shows the end of its log', async () => {
  const chat = given('broken', { build: 'echo no compiler here && exit 1' });
  const outcome = await chat.deploy();
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 11, rolledBack: false, verdict: 'blocked' });
  expect(outcome.service.build?.tail.join('\n')).toMatch(/no compiler here/);
  expect(outcome.service.finished?.diagnosis?.notDone).toContain('no revision was made');
  await expect(chat.live()).rejects.toThrow(/does not exist/);
});

test.concurrent('an interrupted build is cancelled, and nothing is made of it', async () => {
  const chat = given('stopped', { build: 'sleep 30' });
  const controller = new AbortController();
  let id = '';
  const outcome = await chat.deploy({
    signal: controller.signal,
    on: (event) => {
      if (event.type === 'build.started') id = event.build;
      if (event.type === 'build.log') controller.abort();
    },
  });
  const { project, region } = chat.target.ref;
  const left = await stand.connection.build.read({ id, project, region, operation: '' }, call);
  expect(left.status).toBe('CANCELLED');
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 130, rolledBack: false });
  await expect(chat.live()).rejects.toThrow(/does not exist/);
});

test.concurrent.each<[string, RegExp, (folder: string) => void]>([
  ['loop', /points? to nothing|is a loop/, (folder) => symlinkSync('loop', join(folder, 'loop'))],
  ['outside', /outside the folder/, (folder) => symlinkSync('/etc/hostname', join(folder, 'out'))],
])('a source with something that cannot be packed: %s', async (name, told, spoil) => {
  const chat = given(`source-${name}`);
  spoil(chat.target.sourceDir);
  const outcome = await chat.deploy();
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 10, rolledBack: false });
  expect(outcome.told).toMatch(told);
  await expect(chat.live()).rejects.toThrow(/does not exist/);
});
