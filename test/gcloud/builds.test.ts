import { expect, test } from 'vitest';
import { z } from 'zod';
import { judge, project, region } from './kit.ts';

const buildsSchema = z.array(z.looseObject({ id: z.string(), status: z.string() }));
const image = `${region}-docker.pkg.dev/${project}/judge/built`;
const server = (says: string) =>
  `require('http').createServer((q, s) => s.end(${JSON.stringify(says)})).listen(process.env.PORT)`;

const dockerfile = `FROM node:22 AS made
WORKDIR /usr/src/app
COPY package.json ./
RUN npm install && chown -R node .
COPY . .
FROM gcr.io/distroless/nodejs22
WORKDIR /app
COPY --from=made /usr/src/app .
CMD ["/app/server.js"]
`;
const config = `steps:
- id: test
  name: node:22
  entrypoint: bash
  args: ['-c', 'echo "$\${GREETING} from $PROJECT_ID to \${_WHO}"']
  env: ['GREETING=hello']
- name: python
  waitFor: ['-']
  script: |
    #!/usr/bin/env python3
    import os; print("in", os.getcwd())
substitutions: {_WHO: nobody}
tags: [judged]
`;

judge('Cloud Build', {}, (judged) => {
  const source = async (folder: string, says: string) => {
    await judged().write(`${folder}/server.js`, server(says));
    await judged().write(`${folder}/package.json`, '{"name":"x","scripts":{"start":"node server.js"}}');
  };
  const serving = async (service: string) => {
    const said = ['run', 'services', 'describe', service, `--region=${region}`, '--format=value(status.url)'];
    return (await fetch((await judged().said(said)).trim())).text();
  };

  test('builds submit DIR --tag: a Dockerfile, its log shown; run deploy --image runs it', async () => {
    await source('docker', 'from a Dockerfile');
    await judged().write('docker/Dockerfile', dockerfile);
    const { exitCode, stdout, stderr } = await judged().gcloud([
      'builds',
      'submit',
      'docker',
      `--tag=${image}:d`,
    ]);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(
      /REMOTE BUILD OUTPUT[\s\S]*Step 2\/9 : WORKDIR \/usr\/src\/app[\s\S]*PUSH[\s\S]*\nDONE/,
    );
    await judged().said([
      'run',
      'deploy',
      'docker',
      `--image=${image}:d`,
      `--region=${region}`,
      '--allow-unauthenticated',
    ]);
    expect(await serving('docker')).toBe('from a Dockerfile');
  });

  test('builds submit --pack, and --config with --no-source in a region; list, describe, log', async () => {
    await source('pack', 'packed');
    expect(await judged().said(['builds', 'submit', 'pack', `--pack=image=${image}:p`])).toContain('DONE');
    const at = `--region=${region}`;
    const file = await judged().write('cloudbuild.yaml', config);
    const submit = ['builds', 'submit', '--no-source', `--config=${file}`, '--substitutions=_WHO=you', at];
    expect(await judged().said(submit)).toMatch(/Step #0 - "test": hello from demo-project to you\n/);
    const [build] = buildsSchema.parse(await judged().told(['builds', 'list', at, '--filter=tags=judged']));
    expect(build).toMatchObject({ status: 'SUCCESS', substitutions: { _WHO: 'you' }, tags: ['judged'] });
    const id = build?.id ?? '';
    expect(await judged().told(['builds', 'describe', id, at])).toMatchObject({
      steps: [{ status: 'SUCCESS', timing: { endTime: /./ } }, { status: 'SUCCESS' }],
    });
    expect(await judged().said(['builds', 'log', id, at])).toContain('Step #1: in /workspace');
  });

  test('a failing build fails the command; a running one is cancelled', async () => {
    const failing = await judged().write('bad.yaml', 'steps: [{name: bash, args: [-c, "exit 3"]}]');
    const failed = await judged().gcloud(['builds', 'submit', '--no-source', `--config=${failing}`]);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout + failed.stderr).toMatch(
      /build step 0 "bash" failed: step exited with non-zero status: 3/,
    );
    const unknown = await judged().write('unknown.yaml', 'steps: [{name: golang, args: [go, version]}]');
    const refused = await judged().gcloud(['builds', 'submit', '--no-source', `--config=${unknown}`]);
    expect(refused.stderr).toMatch(
      /INVALID_ARGUMENT: invalid build: the local cloud has no builder 'golang'/,
    );

    const long = await judged().write('long.yaml', 'steps: [{name: bash, args: [-c, "sleep 600"]}]');
    await judged().said(['builds', 'submit', '--no-source', '--async', `--config=${long}`]);
    const [running] = buildsSchema.parse(await judged().told(['builds', 'list', '--ongoing']));
    await judged().said(['builds', 'cancel', running?.id ?? '']);
    expect(await judged().told(['builds', 'describe', running?.id ?? ''])).toMatchObject({
      status: 'CANCELLED',
    });
    expect(await judged().told(['builds', 'list', '--ongoing'])).toEqual([]);
  });

  test('run deploy --source: buildpacks without a Dockerfile, docker with one', async () => {
    const deploy = (service: string) =>
      judged().said([
        'run',
        'deploy',
        service,
        `--source=${service}`,
        `--region=${region}`,
        '--allow-unauthenticated',
      ]);
    await source('plain', 'from source');
    await deploy('plain');
    expect(await serving('plain')).toBe('from source');
    await source('dockered', 'from source, by a Dockerfile');
    await judged().write('dockered/Dockerfile', dockerfile);
    await deploy('dockered');
    expect(await serving('dockered')).toBe('from source, by a Dockerfile');
  });
});
