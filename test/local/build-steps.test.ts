import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { openBuildCloud } from './build-kit.ts';

const docker = 'gcr.io/cloud-builders/docker';
const image = 'europe-west1-docker.pkg.dev/demo/r/web:1';
const serviceSchema = z.looseObject({ uri: z.string() });
const serving = `require('http').createServer((q, s) => s.end(JSON.stringify([
  process.cwd(), __filename, process.env.FROM_BASE, require('fs').readFileSync('/srv/data/made.txt', 'utf8').trim(),
]))).listen(process.env.PORT)`;

describe('steps', () => {
  test('run in their order, beside each other where they may, and leave what they make', async () => {
    const { upload, run, read, client } = await openBuildCloud();
    const steps = [
      // Each waits until the other is there: in a row they would wait for ever.
      { id: 'a', name: 'bash', waitFor: ['-'], script: 'touch a; until [ -e b ]; do sleep 0.05; done' },
      { id: 'b', name: 'bash', waitFor: ['-'], script: 'touch b; until [ -e a ]; do sleep 0.05; done' },
      {
        name: 'node:22',
        dir: 'sub',
        env: ['WHO=$_WHO', 'PLAIN=$$WHO'],
        args: [
          '-e',
          'console.log(process.cwd(), process.env.WHO, process.env.PLAIN, "$PROJECT_ID/$BUILD_ID")',
        ],
      },
      {
        name: 'ubuntu',
        args: ['sh', '-c', 'mkdir dist; echo one > dist/one.txt; exit 4'],
        allowExitCodes: [4],
      },
      { id: 'secretless', name: 'bash', script: '#!/bin/sh\nenv', automapSubstitutions: true },
    ];
    vi.stubEnv('SLUICE_TEST_SECRET', 'hidden');
    const { build, log } = await run({
      source: await upload({ 'sub/x': '' }),
      steps,
      substitutions: { _WHO: 'me' },
      tags: ['of-$_WHO'],
      artifacts: { objects: { location: 'gs://sources/out', paths: ['dist/*.txt'] } },
    });
    vi.unstubAllEnvs();
    expect(build).toMatchObject({ status: 'SUCCESS', tags: ['of-me'], projectId: 'demo' });
    expect(build.steps?.map(({ status, exitCode }) => [status, exitCode])).toEqual([
      ...[
        ['SUCCESS', 0],
        ['SUCCESS', 0],
        ['SUCCESS', 0],
        ['FAILURE', 4],
        ['SUCCESS', 0],
      ],
    ]);
    expect(build.steps?.[2]?.env).toEqual(['WHO=me', 'PLAIN=$WHO']);
    expect(log).toContain(`Step #2: /workspace/sub me $WHO demo/${build.id}`);
    expect(log).toMatch(/Finished Step #4 - "secretless"/);
    expect(log).toContain('Step #4 - "secretless": _WHO=me');
    expect(log).not.toContain('hidden');
    expect(Object.keys(build.timing ?? {}).sort()).toEqual(['BUILD', 'FETCHSOURCE', 'PUSH']);
    expect(build.results?.numArtifacts).toBe('1');
    expect(await read('sources', 'out/one.txt')).toBe('one\n');
    expect(await read('sources', `out/artifacts-${build.id}.json`)).toContain('gs://sources/out/one.txt#');

    const found = async (filter: string) =>
      (await client.listBuilds({ projectId: 'demo', filter }))[0].map(({ id }) => id);
    const [all, none] = [[build.id], []];
    expect(await found('status="SUCCESS" AND tags="of-me" AND create_time>"2020-01-01T00:00:00Z"')).toEqual(
      all,
    );
    expect(await found('status="WORKING" OR status="QUEUED"')).toEqual(none);
    await expect(found('trigger_id="x"')).rejects.toMatchObject({ code: 3, details: /by trigger_id/ });
    const [again] = await client.retryBuild({ projectId: 'demo', id: String(build.id) });
    expect((await again.promise())[0]).toMatchObject({ substitutions: { _WHO: 'me' } });
  });

  test('one that fails is told with its number, its builder and its status', async () => {
    const { run } = await openBuildCloud();
    const failing: [string, object[], string, RegExp][] = [
      [
        'fails, and ends the others',
        [
          { name: 'bash', args: ['-c', 'echo begun; sleep 1000'], waitFor: ['-'] },
          { id: 'bad', name: 'bash', args: ['-c', 'exit 3'], waitFor: ['-'] },
          { name: 'bash', args: ['-c', 'echo never'] },
        ],
        'Build step failure: build step 1 "bash" failed: step exited with non-zero status: 3',
        /CANCELLED FAILURE QUEUED/,
      ],
      [
        'takes too long',
        [{ name: 'bash', args: ['-c', 'sleep 1000'], timeout: { seconds: 1 } }],
        'Build step failure: build step 0 "bash" failed: step exceeded its timeout',
        /TIMEOUT/,
      ],
      [
        'pushes what is not there',
        [{ name: docker, args: ['push', 'gcr.io/demo/nothing'] }],
        `Build step failure: build step 0 "${docker}" failed: step exited with non-zero status: 1`,
        /FAILURE/,
      ],
    ];
    await Promise.all(
      failing.map(async ([what, steps, detail, states]) => {
        const { build } = await run({ steps });
        expect(build.failureInfo, what).toEqual({ type: 'USER_BUILD_STEP', detail });
        expect(build.steps?.map(({ status }) => status).join(' '), what).toMatch(states);
      }),
    );
  });
});

describe('a Dockerfile', () => {
  const dockerfile = `
    ARG VERSION=22
    FROM node:\${VERSION} AS made
    ARG WORD
    RUN mkdir -p data && echo "$WORD" > data/made.txt && chown -R node data
    FROM node:\${VERSION}-slim AS base
    ENV FROM_BASE="it was"
    FROM base
    WORKDIR /srv/app
    COPY --from=made data /srv/data/
    COPY . .
    USER node
    CMD ["node", "/srv/app/server.js"]`;

  test('becomes an image that runs where it says, and that another is built from', async () => {
    const { upload, run, post, origin } = await openBuildCloud();
    const next = `FROM ${image}\nCOPY extra.txt /srv/data/made.txt\n`;
    const { build, log } = await run({
      source: await upload({
        Dockerfile: dockerfile,
        'server.js': serving,
        'next/Dockerfile': next,
        'next/extra.txt': 'then',
      }),
      steps: [
        { name: docker, args: ['build', '-t', image, '--build-arg', 'WORD=first', '.'] },
        {
          name: 'gcr.io/kaniko-project/executor',
          args: ['--destination', `${image}-next`, '--context=dir://next'],
        },
      ],
      images: [image],
    });
    expect(build.status, log).toBe('SUCCESS');
    expect(build.results?.images).toMatchObject([{ name: image, digest: /^sha256:/ }]);
    expect(log).toContain('ignored: the local cloud runs an image as the user who started it');
    const services = '/v2/projects/demo/locations/europe-west1/services';
    const answers = await Promise.all(
      [image, `${image}-next`].map(async (from, index) => {
        const service = { template: { containers: [{ image: from }] }, invokerIamDisabled: true };
        await post(`${services}?serviceId=s${index}`, JSON.stringify(service));
        return vi.waitFor(async () => {
          const { uri } = serviceSchema.parse(await (await fetch(`${origin}${services}/s${index}`)).json());
          const response = await fetch(uri);
          if (!response.ok) throw new Error(await response.text());
          return response.json();
        }, 20_000);
      }),
    );
    const at = (made: string) => ['/srv/app', '/srv/app/server.js', 'it was', made];
    expect(answers).toEqual([at('first'), at('then')]);
  });

  test('is refused by the name and line of what cannot be done', async () => {
    const { upload, run } = await openBuildCloud();
    const refusals: [string, RegExp][] = [
      ['FROM golang:1.22', /Dockerfile:1: FROM: the local cloud has no image golang:1\.22/],
      ['FROM node\nRUN apt-get update && apt-get install -y git', /Dockerfile:2: RUN: .*apt-get/],
      [
        'FROM node\nRUN exit 9',
        /Dockerfile:2: RUN: The command '\/bin\/sh -c exit 9' returned a non-zero code: 9/,
      ],
      ['FROM node\nADD https://x/y.tgz /', /Dockerfile:2: ADD: .*https:\/\/x\/y.tgz/],
      [
        'FROM node\n\nONBUILD RUN x',
        /Dockerfile:3: ONBUILD: the local cloud does not support this instruction/,
      ],
      ['FROM node\nRUN --mount=type=secret,id=x y', /Dockerfile:2: RUN: .*--mount=type=secret/],
      ['FROM node\nCOPY --from=nobody a b', /Dockerfile:2: COPY: .*neither a stage nor an image nobody/],
      ['RUN x', /Dockerfile:1: RUN: no build stage/],
    ];
    const files = Object.fromEntries(refusals.map(([text], index) => [`${index}/Dockerfile`, text]));
    const { log } = await run({
      source: await upload(files),
      steps: refusals.map((_row, index) => ({
        ...{ name: docker, args: ['build', '.'], dir: String(index), waitFor: ['-'], allowExitCodes: [1] },
      })),
    });
    for (const [index, [, why]] of refusals.entries()) {
      const said = log.split('\n').filter((line) => line.startsWith(`Step #${index}: ERROR`));
      expect(said.join('\n')).toMatch(why);
    }
  });

  test('is read from the workspace only, whatever links a step makes', async () => {
    const { upload, run } = await openBuildCloud();
    const outside = mkdtempSync(path.join(tmpdir(), 'sluice-outside-'));
    onTestFinished(() => rmSync(outside, { recursive: true, force: true }));
    writeFileSync(path.join(outside, 'Dockerfile'), 'HOSTS OWN');
    const script = `ln -s ${outside} d; ln -s ${outside}/Dockerfile file; ln -s ${outside}/Dockerfile c/Dockerfile; ln -s ok inside`;
    const failing = [['d'], ['-f', '/workspace/file', '.'], ['c']];
    const { build, log } = await run({
      source: await upload({ 'c/x': '', 'ok/Dockerfile': 'FROM scratch\nCOPY x /', 'ok/x': '' }),
      steps: [
        { name: 'bash', script },
        ...failing.map((args) => ({ name: docker, args: ['build', ...args], allowExitCodes: [1] })),
        { name: docker, args: ['build', 'inside'] },
      ],
    });
    expect(build.steps?.map(({ status }) => status)).toEqual([
      'SUCCESS',
      ...failing.map(() => 'FAILURE'),
      'SUCCESS',
    ]);
    expect(log.match(/reads only from \/workspace/g)).toHaveLength(failing.length);
    expect(log).not.toContain('HOSTS');
  });
});

test('gcloud finds the log at the host that it always asks, and no other host is reached', async () => {
  const { cloud, run } = await openBuildCloud();
  const { build, log } = await run({ steps: [{ name: 'bash', args: ['-c', 'echo said'] }] });
  const ask = async (host: string, url: string, range = 'bytes=0-') => {
    const request = http.request({ port: cloud.port, method: 'CONNECT', path: `${host}:443` }).end();
    const { promise, resolve } = Promise.withResolvers<[http.IncomingMessage, import('node:net').Socket]>();
    request.once('connect', (response, socket) => resolve([response, socket]));
    const [opened, socket] = await promise;
    if (opened.statusCode !== 200) return { status: opened.statusCode, body: '' };
    const ca = readFileSync(path.join(cloud.home, 'storage-certificate.pem'));
    const secure = connectTls({ socket, servername: host, ca });
    const get = http.get(url, { createConnection: () => secure, headers: { host, range } });
    const response = await new Promise<http.IncomingMessage>((answered, failed) =>
      get.once('response', answered).once('error', failed),
    );
    return { status: response.statusCode, body: await text(response) };
  };
  const url = `http://storage.googleapis.com/demo_cloudbuild/log-${build.id}.txt`;
  expect(log).toContain('said');
  expect(await ask('storage.googleapis.com', url)).toEqual({ status: 206, body: log });
  expect((await ask('storage.googleapis.com', url, `bytes=${log.length}-`)).status).toBe(416);
  expect((await ask('storage.googleapis.com', `${url}x`)).status).toBe(404);
  expect((await ask('storage.googleapis.com', 'http://storage.googleapis.com/')).status).toBe(404);
  expect((await ask('example.com', url)).status).toBe(403);
});

const answerSchema = z.looseObject({
  name: z.string().default(''),
  projectNumber: z.string().default(''),
  serviceAccountEmail: z.string().default(''),
  error: z.looseObject({ message: z.string() }).optional(),
  buildOperation: z
    .looseObject({ metadata: z.looseObject({ build: z.looseObject({ id: z.string() }) }) })
    .optional(),
});

test('what gcloud asks for before it builds from source', async () => {
  const { post, origin, upload } = await openBuildCloud();
  const answered = async (response: Response) => answerSchema.parse(await response.json());
  const get = async (url: string) => answered(await fetch(origin + url));
  const location = '/v1/projects/demo-project/locations/europe-west1';
  expect(await get('/v1/projects/demo-project/services/run.googleapis.com')).toMatchObject({
    state: 'ENABLED',
  });
  expect(await get('/v1/projects/demo-project/services/compute.googleapis.com')).toMatchObject({
    state: 'DISABLED',
  });
  expect((await post('/v1/projects/demo-project/services/compute.googleapis.com:enable', '{}')).status).toBe(
    501,
  );
  const { projectNumber } = await get('/v1/projects/demo-project');
  const { serviceAccountEmail } = await get(`${location}/defaultServiceAccount`);
  expect(serviceAccountEmail).toMatch(`${projectNumber}-compute@developer.gserviceaccount.com`);
  const email = serviceAccountEmail.replace(/.*\//, '');
  expect(await get(`/v1/projects/-/serviceAccounts/${email}`)).toMatchObject({ email });
  expect(await get('/v1/projects/-/serviceAccounts/no@demo-project.iam.gserviceaccount.com')).toMatchObject({
    error: { status: 'NOT_FOUND' },
  });
  expect(await get(`${location}/repositories/own`)).toMatchObject({ error: { code: 404 } });
  const made = await answered(await post(`${location}/repositories?repositoryId=own`, '{"format":"DOCKER"}'));
  expect(await get(`/v1/${made.name}`)).toMatchObject({ done: true, response: { format: 'DOCKER' } });
  expect(await get(`${location}/repositories/own`)).toMatchObject({ name: /repositories\/own$/ });

  const { storageSource } = await upload({ 'package.json': '{"main":"x.js"}', 'x.js': '' });
  const submit = (body: object) =>
    post(
      '/v2/projects/demo-project/locations/europe-west1/builds:submit',
      JSON.stringify({ storageSource, imageUri: image, ...body }),
    );
  const refused = await answered(await submit({ buildpackBuild: { functionTarget: 'f' } }));
  expect(refused.error?.message).toContain('buildpackBuild.functionTarget');
  const { buildOperation } = await answered(await submit({ dockerBuild: {}, tags: ['t'] }));
  const build = buildOperation?.metadata.build;
  expect(build).toMatchObject({ tags: ['t'], images: [image], steps: [{ name: docker }] });
  await vi.waitFor(async () => {
    const ended = await get(`${location}/operations/${build?.id}`);
    expect(ended).toMatchObject({ done: true, error: { message: /check build logs/ } });
  }, 10_000);
});
