import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { configOf, type Judged, judge, project, region } from './kit.ts';

const repository = `${region}-docker.pkg.dev/${project}/judge`;
const answers = (status: number) =>
  `require('http').createServer((q, s) => { s.statusCode = ${status}; s.end(JSON.stringify({ revision: process.env.K_REVISION, env: process.env })) }).listen(process.env.PORT)`;
const images = {
  [`${repository}/good:1`]: answers(200),
  [`${repository}/sick:1`]: answers(500),
  [`${repository}/exits:1`]: 'process.exit(3)',
  [`${repository}/silent:1`]: 'setInterval(() => {}, 1000)',
};
const image = (name: string) => `--image=${repository}/${name}:1`;

const config = configOf('chat', `${repository}/good:1`);

const target = z.object({
  revisionName: z.string().optional(),
  latestRevision: z.boolean().optional(),
  percent: z.int().optional(),
  tag: z.string().optional(),
  url: z.string().optional(),
});
const metadata = z.object({
  name: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});
const serviceSchema = z.object({
  metadata: metadata.extend({ generation: z.int(), resourceVersion: z.string() }),
  spec: z.object({
    template: z.object({
      metadata,
      spec: z.object({
        containerConcurrency: z.int(),
        timeoutSeconds: z.int(),
        serviceAccountName: z.string(),
        containers: z
          .array(
            z.looseObject({
              env: z.array(z.looseObject({ name: z.string() })).default([]),
              ports: z.array(z.looseObject({ containerPort: z.int() })),
              resources: z.object({ limits: z.record(z.string(), z.string()) }),
            }),
          )
          .min(1),
      }),
    }),
    traffic: z.array(target),
  }),
  status: z.object({
    conditions: z.array(
      z.looseObject({ type: z.string(), status: z.string(), reason: z.string().optional() }),
    ),
    latestCreatedRevisionName: z.string(),
    latestReadyRevisionName: z.string().optional(),
    traffic: z.array(target).default([]),
    url: z.string().optional(),
  }),
});
const liveSchema = z.object({
  services: z.tuple([
    z.object({
      live: z.object({
        url: z.string(),
        ready: z.boolean(),
        actual: z.array(z.object({ revision: z.string(), percent: z.int(), tag: z.string().optional() })),
        pin: z.string(),
        public: z.boolean(),
      }),
    }),
  ]),
});

type Service = z.infer<typeof serviceSchema>;

judge('Cloud Run', images, (judged) => {
  const service = async () =>
    serviceSchema.parse(await judged().told(['run', 'services', 'describe', 'chat']));
  const deploy = (...args: string[]) => judged().gcloud(['run', 'deploy', 'chat', ...args]);
  const update = (...args: string[]) => judged().said(['run', 'services', 'update', 'chat', ...args]);
  const traffic = (...args: string[]) =>
    judged().said(['run', 'services', 'update-traffic', 'chat', ...args]);

  test('there is no service at first, in the region or anywhere', async () => {
    expect(await judged().told(['run', 'services', 'list', `--region=${region}`])).toEqual([]);
    expect(await judged().told(['run', 'services', 'list'])).toEqual([]);
    const { exitCode, stderr } = await judged().gcloud(['run', 'services', 'describe', 'chat']);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Cannot find service [chat]'),
    });
  });

  test('deploy --allow-unauthenticated, with everything that has a flag', async () => {
    const flags = [
      ...['--allow-unauthenticated', '--memory=1Gi', '--cpu=2', '--timeout=60', '--concurrency=10'],
      ...['--min-instances=0', '--max-instances=3', '--port=9090', '--set-env-vars=A=1,B=two'],
      ...[`--service-account=sa@${project}.iam.gserviceaccount.com`, '--cpu-boost', '--labels=team=a'],
      ...['--execution-environment=gen2', '--ingress=all', '--revision-suffix=one'],
    ];
    const { exitCode, stderr } = await deploy(image('good'), ...flags);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/chat-one.*serving.*100/),
    });
    const { metadata, spec, status } = await service();
    expect(metadata).toMatchObject({
      labels: { team: 'a' },
      annotations: { 'run.googleapis.com/client-name': 'gcloud', 'run.googleapis.com/ingress': 'all' },
    });
    expect(spec.template).toMatchObject({
      metadata: {
        name: 'chat-one',
        labels: { team: 'a' },
        annotations: {
          'autoscaling.knative.dev/maxScale': '3',
          'run.googleapis.com/startup-cpu-boost': 'true',
          'run.googleapis.com/execution-environment': 'gen2',
        },
      },
      spec: {
        containerConcurrency: 10,
        timeoutSeconds: 60,
        serviceAccountName: `sa@${project}.iam.gserviceaccount.com`,
        containers: [
          {
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: 'two' },
            ],
            ports: [{ containerPort: 9090 }],
            resources: { limits: { cpu: '2', memory: '1Gi' } },
          },
        ],
      },
    });
    expect(status.conditions.map(({ type, status }) => `${type} ${status}`)).toEqual([
      'Ready True',
      'ConfigurationsReady True',
      'RoutesReady True',
    ]);
    expect(await answer(status.url)).toMatchObject({
      revision: 'chat-one',
      env: { A: '1', B: 'two', K_SERVICE: 'chat' },
    });
    await agree(judged(), await service());
  });

  test('list, and describe as a value and as YAML', async () => {
    const { url } = (await service()).status;
    expect(await judged().said(['run', 'services', 'describe', 'chat', '--format=value(status.url)'])).toBe(
      url,
    );
    expect(await judged().said(['run', 'services', 'describe', 'chat', '--format=yaml'])).toContain(
      'kind: Service',
    );
    expect(await judged().said(['run', 'services', 'describe', 'chat'])).toContain(
      '100% LATEST (currently chat-one)',
    );
    for (const place of [[], [`--region=${region}`]])
      expect(
        await judged().said([
          'run',
          'services',
          'list',
          ...place,
          '--format=value(metadata.name,status.url)',
        ]),
      ).toBe(`chat\t${url}`);
  });

  test('a candidate: deploy --no-traffic --tag, --update-env-vars and --remove-env-vars', async () => {
    const { stderr } = await deploy(
      image('good'),
      '--no-traffic',
      '--tag=next',
      '--update-env-vars=A=2,C=3',
      '--remove-env-vars=B',
      '--revision-suffix=two',
    );
    expect(stderr).toMatch(/chat-two.*serving.*0/);
    const { spec, status } = await service();
    expect(spec.template.spec.containers[0]?.env).toEqual([
      { name: 'A', value: '2' },
      { name: 'C', value: '3' },
    ]);
    expect(status.traffic).toMatchObject([
      { revisionName: 'chat-one', percent: 100 },
      { revisionName: 'chat-two', tag: 'next' },
    ]);
    const tagged = status.traffic.find(({ tag }) => tag === 'next');
    expect(await answer(tagged?.url)).toMatchObject({ revision: 'chat-two', env: { A: '2', C: '3' } });
    await agree(judged(), await service());
  });

  test.for([
    [
      '--to-tags=next=10',
      [
        ['chat-one', 90, ''],
        ['chat-two', 10, ''],
        ['chat-two', 0, 'next'],
      ],
    ],
    [
      '--to-revisions=chat-two=60',
      [
        ['chat-one', 40, ''],
        ['chat-two', 60, ''],
        ['chat-two', 0, 'next'],
      ],
    ],
    [
      '--set-tags=was=chat-one,new=LATEST',
      [
        ['chat-one', 40, ''],
        ['chat-two', 60, ''],
        ['chat-two', 0, 'new'],
        ['chat-one', 0, 'was'],
      ],
    ],
    [
      '--update-tags=was=chat-two',
      [
        ['chat-one', 40, ''],
        ['chat-two', 60, ''],
        ['chat-two', 0, 'new'],
        ['chat-two', 0, 'was'],
      ],
    ],
    [
      '--remove-tags=was,new',
      [
        ['chat-one', 40, ''],
        ['chat-two', 60, ''],
      ],
    ],
    ['--to-latest', [['chat-two', 100, '']]],
  ] as const)('update-traffic %s', async ([flag, expected]) => {
    await traffic(flag);
    const { status } = await service();
    expect(
      status.traffic.map(({ revisionName, percent = 0, tag = '' }) => [revisionName, percent, tag]),
    ).toEqual(expected);
    await agree(judged(), await service());
  });

  test('update makes a revision when the template changes, and none when it does not', async () => {
    await update('--memory=512Mi', '--no-cpu-boost', '--concurrency=default');
    const changed = await service();
    expect(changed.spec.template.metadata.annotations).not.toHaveProperty(
      'run.googleapis.com/startup-cpu-boost',
    );
    expect(changed.status.latestReadyRevisionName).not.toBe('chat-two');
    await update('--update-labels=cost=low');
    await update('--no-invoker-iam-check');
    const { metadata } = await service();
    expect(metadata).toMatchObject({
      labels: { cost: 'low', team: 'a' },
      annotations: { 'run.googleapis.com/invoker-iam-disabled': 'true' },
    });
    await update('--invoker-iam-check');
  });

  test('a pin and a candidate by Sluice are one to gcloud, and the other way round', async () => {
    await judged().write('sluice.yaml', config);
    const deployed = await judged().sluice(['deploy', 'staging', '--local', '--take-over-traffic']);
    expect(deployed.exitCode, deployed.stdout + deployed.stderr).toBe(0);
    const pinned = await service();
    expect(pinned.spec.traffic).toEqual([
      { revisionName: pinned.status.latestReadyRevisionName, percent: 100 },
    ]);
    await agree(judged(), pinned, 'own');

    const { stderr } = await deploy(image('good'), '--tag=theirs');
    expect(stderr).toMatch(/serving.*0.*percent/);
    const candidate = await service();
    expect(candidate.spec.traffic).toMatchObject([...pinned.spec.traffic, { tag: 'theirs' }]);
    await agree(judged(), candidate, 'own');
    await traffic('--to-tags=theirs=100');
    await agree(judged(), await service(), 'foreign');
    await traffic('--to-latest', '--clear-tags');
  });

  describe('a deploy that fails exits 1 and says why', () => {
    const notReady = (why: string) =>
      new RegExp(`Revision 'chat-[\\w-]+' is not ready and cannot serve traffic\\. ${why}`);
    const probe = (kind: string) =>
      `--startup-probe=${kind},periodSeconds=1,timeoutSeconds=1,failureThreshold=2`;
    test.for([
      [
        'the image is missing',
        [image('missing')],
        'ContainerMissing',
        notReady("Image '.*/missing:1' not found"),
      ],
      [
        'the container exits',
        [image('exits')],
        'HealthCheckContainerError',
        notReady('The user-provided container failed to start and listen on the port'),
      ],
      [
        'no port is opened',
        [image('silent'), probe('tcpSocket.port=9090')],
        'HealthCheckContainerError',
        notReady('The user-provided container failed the configured startup probe checks'),
      ],
      [
        'the probe gets a 500',
        [image('sick'), probe('httpGet.path=/healthz')],
        'HealthCheckContainerError',
        notReady('The user-provided container failed the configured startup probe checks'),
      ],
      [
        'a secret is missing',
        [image('good'), '--startup-probe=', '--set-secrets=KEY=nowhere:latest'],
        'SecretsAccessCheckFailed',
        notReady('.*nowhere'),
      ],
    ] as const)('%s', async ([, flags, reason, message]) => {
      const before = await service();
      const { exitCode, stderr } = await deploy(...flags);
      expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(message) });
      const { status } = await service();
      expect(status.conditions[0]).toMatchObject({ type: 'Ready', status: 'False', reason });
      expect(status.traffic).toEqual(before.status.traffic);
      expect(
        await judged().said([
          'run',
          'revisions',
          'describe',
          status.latestCreatedRevisionName,
          '--format=value(status.conditions[0].reason)',
        ]),
      ).toBe(reason);
    });
  });

  test('secrets as variables and files, and Cloud SQL instances, are what the v2 API has as volumes', async () => {
    await judged().said(['secrets', 'create', 'key', '--data-file=-'], { input: 's3cret' });
    const { exitCode, stderr } = await deploy(image('good'), '--set-secrets=KEY=key:latest,/keys/one=key:1');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const { spec, status } = await service();
    expect(spec.template.spec.containers[0]).toMatchObject({
      env: expect.arrayContaining([
        { name: 'KEY', valueFrom: { secretKeyRef: { name: 'key', key: 'latest' } } },
      ]),
      volumeMounts: [{ mountPath: '/keys' }],
    });
    expect(await answer(status.url)).toMatchObject({ env: { KEY: 's3cret' } });
    await update('--clear-secrets');
    await deploy(image('good'), `--add-cloudsql-instances=${project}:${region}:db`);
    const sql = await service();
    expect(sql.spec.template.metadata.annotations['run.googleapis.com/cloudsql-instances']).toBe(
      `${project}:${region}:db`,
    );
    await update('--clear-cloudsql-instances');
  });

  test.for([
    [
      '--memory=64Mi',
      'spec.template.spec.containers[0].resources.limits.memory: Invalid value specified for container memory.',
    ],
    ['--cpu=3', 'spec.template.spec.containers[0].resources.limits.cpu: Invalid value specified for cpu.'],
    ['--tag=this-tag-is-longer-than-forty-six-characters-with-the-name', 'spec.traffic[1].tag: '],
    [
      '--revision-suffix=this-suffix-is-longer-than-sixty-three-characters-with-the-name-x',
      'spec.template.metadata.name: ',
    ],
    [
      '--revision-suffix=one',
      "ALREADY_EXISTS: Revision named 'chat-one' with different configuration already exists.",
    ],
    [
      '--set-env-vars=PORT=1',
      'spec.template.spec.containers[0].env: The following reserved env names were provided: PORT.',
    ],
    ['--vpc-connector=there', 'run.googleapis.com/vpc-access-connector'],
  ] as const)('deploy %s is refused, and changes nothing', async ([flag, message]) => {
    const before = await service();
    const { exitCode, stderr } = await deploy(image('good'), flag);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(message) });
    expect((await service()).metadata).toEqual(before.metadata);
  });

  test('replace writes what describe exported', async () => {
    const exported = await judged().said(['run', 'services', 'describe', 'chat', '--format=export']);
    const changed = exported.replace(/^ {6}timeoutSeconds: \d+$/m, '      timeoutSeconds: 61');
    const before = await service();
    await judged().said(['run', 'services', 'replace', await judged().write('service.yaml', changed)]);
    const { spec, status } = await service();
    expect(spec).toEqual({
      ...before.spec,
      template: { ...before.spec.template, spec: { ...before.spec.template.spec, timeoutSeconds: 61 } },
    });
    expect(status.latestReadyRevisionName).not.toBe(before.status.latestReadyRevisionName);
  });

  test('IAM: who may call the service', async () => {
    const binding = ['chat', '--role=roles/run.invoker'];
    const { url } = (await service()).status;
    await judged().said(['run', 'services', 'remove-iam-policy-binding', ...binding, '--member=allUsers']);
    await expect.poll(() => statusOf(url)).toBe(403);
    await agree(judged(), await service());
    expect(
      await judged().told([
        'run',
        'services',
        'add-iam-policy-binding',
        ...binding,
        '--member=user:a@example.com',
      ]),
    ).toMatchObject({ bindings: [{ members: ['user:a@example.com'], role: 'roles/run.invoker' }] });
    await judged().said(['run', 'services', 'add-iam-policy-binding', ...binding, '--member=allUsers']);
    await expect.poll(() => statusOf(url)).toBe(200);
    expect(await judged().told(['run', 'services', 'get-iam-policy', 'chat'])).toMatchObject({
      bindings: [{ members: ['user:a@example.com', 'allUsers'] }],
      etag: expect.any(String),
      version: 1,
    });
    const { exitCode, stderr } = await judged().gcloud([
      'run',
      'services',
      'add-iam-policy-binding',
      ...binding,
      '--member=nobody',
    ]);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is of an unknown type'),
    });
  });

  test('revisions: list, describe, delete', async () => {
    const list = ['run', 'revisions', 'list', '--service=chat'];
    const names = (await judged().said([...list, '--format=value(metadata.name)'])).split('\n');
    const { latestReadyRevisionName = '' } = (await service()).status;
    expect(names).toContain('chat-one');
    expect(
      (await judged().said([...list, '--limit=2', '--format=value(metadata.name)'])).split('\n'),
    ).toEqual(names.slice(0, 2));
    expect(
      await judged().said([
        ...list,
        '--format=value(metadata.name)',
        '--filter=status.conditions.type:Active AND status.conditions.status:True',
      ]),
    ).toContain(latestReadyRevisionName);
    expect(
      await judged().said(['run', 'revisions', 'describe', 'chat-one', '--format=value(status.imageDigest)']),
    ).toMatch(new RegExp(`^${repository}/good@sha256:`));
    await judged().said(['run', 'revisions', 'delete', 'chat-one']);
    const serving = await judged().gcloud(['run', 'revisions', 'delete', latestReadyRevisionName]);
    expect(serving).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`Revision '${latestReadyRevisionName}' cannot be deleted because`),
    });
    const gone = await judged().gcloud(['run', 'revisions', 'delete', 'chat-one']);
    expect(gone).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Revision [chat-one] could not be found'),
    });
  });

  test('delete', async () => {
    const { url } = (await service()).status;
    await judged().said(['run', 'services', 'delete', 'chat']);
    await expect.poll(() => statusOf(url).catch(() => 'closed')).toBe('closed');
    const { exitCode, stderr } = await judged().gcloud(['run', 'services', 'delete', 'chat']);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Service [chat] could not be found'),
    });
    expect(await judged().told(['run', 'services', 'list'])).toEqual([]);
  });
});

async function answer(url = ''): Promise<unknown> {
  return (await fetch(url)).json();
}

async function statusOf(url = ''): Promise<number> {
  return (await fetch(url)).status;
}

/** gcloud and `sluice status` tell the same of the service. */
async function agree({ sluice, write }: Judged, { status }: Service, pin?: 'own' | 'foreign'): Promise<void> {
  await write('sluice.yaml', config);
  const { stdout } = await sluice(['status', 'staging', '--local', '--json']);
  const [{ live }] = liveSchema.parse(JSON.parse(stdout)).services;
  const byGcloud = status.traffic.map(({ latestRevision, revisionName = '', percent = 0, tag = '' }) => {
    return [latestRevision ? 'LATEST' : revisionName, percent, tag].join(' ');
  });
  const bySluice = live.actual.map(({ revision, percent, tag = '' }) => [revision, percent, tag].join(' '));
  expect(bySluice.sort()).toEqual(byGcloud.sort());
  const ready = status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  expect(live).toMatchObject({ url: status.url, ready, ...(pin && { pin }) });
}
