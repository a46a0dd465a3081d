import { randomInt } from 'node:crypto';
import { RevisionsClient, ServicesClient } from '@google-cloud/run';
import { credentials } from '@grpc/grpc-js';
import fc from 'fast-check';
import { PassThroughClient } from 'google-auth-library';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { configOf, type Judged, judge, project, region } from './kit.ts';

const program = `require('http').createServer((q, s) => s.end(JSON.stringify({ revision: process.env.K_REVISION })))
  .listen(process.env.PORT)`;
const image = `europe-west1-docker.pkg.dev/${project}/judge/web:1`;
const service = `projects/${project}/locations/${region}/services/web`;

const config = configOf('web', image);

/** One operation: who does what; the numbers choose among what there is when its turn comes. */
const operations = fc.record({
  kind: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom('gcloud-env', 'gcloud-traffic', 'gcloud-split', 'gcloud-latest'),
    },
    { weight: 3, arbitrary: fc.constantFrom('gcloud-tag', 'gcloud-untag', 'gcloud-label', 'gcloud-delete') },
    { weight: 1, arbitrary: fc.constantFrom('gcloud-open', 'gcloud-close') },
    {
      weight: 6,
      arbitrary: fc.constantFrom('client-env', 'client-traffic', 'client-label', 'client-delete'),
    },
    { weight: 4, arbitrary: fc.constantFrom('sluice-deploy', 'sluice-rollback', 'sluice-unpin') },
  ),
  number: fc.nat(1_000_000),
  other: fc.nat(1_000_000),
});
type Operation = { kind: string; number: number; other: number };

/** What all three must agree on. */
type View = { url: string; ready: boolean; public: boolean; traffic: Record<string, string> };

judge('a mixed history', { [image]: program }, (judged) => {
  const count = Number(process.env['HISTORY_LENGTH'] ?? 200);
  test(`${count} operations by gcloud, the official clients and Sluice leave one state`, async () => {
    const seed = Number(process.env['HISTORY_SEED'] ?? randomInt(2 ** 31));
    console.log(`HISTORY_SEED=${seed}`);
    const history = await openHistory(judged());
    const done: Record<string, number> = {};
    for (const [index, operation] of fc.sample(operations, { seed, numRuns: count }).entries()) {
      const what = `operation ${index} of seed ${seed}: ${JSON.stringify(operation)}`;
      const outcome = await history.perform(operation).catch((error: unknown) => {
        throw new Error(what, { cause: error });
      });
      const key = `${operation.kind} ${outcome}`;
      done[key] = (done[key] ?? 0) + 1;
      if (index % 20 === 19 || index === count - 1) {
        const [client, gcloud, sluice] = await history.views();
        expect(gcloud, what).toEqual(client);
        expect(sluice, what).toEqual(client);
      }
    }
    console.log(
      Object.entries(done)
        .sort()
        .map(([key, times]) => `${times} × ${key}`)
        .join('\n'),
    );
  }, 1_500_000);
});

async function openHistory(judged: Judged) {
  const options = { apiEndpoint: '127.0.0.1', port: judged.port, projectId: project };
  const authClient = new PassThroughClient();
  const grpc = { ...options, authClient, sslCreds: credentials.createInsecure() };
  const rest = { ...options, authClient, protocol: 'http', fallback: true };
  const roads = [grpc, rest].map((road) => ({
    services: new ServicesClient(road),
    revisions: new RevisionsClient(road),
  }));
  let turn = 0;
  /** The two roads in turns. */
  const client = () => {
    const next = roads[turn++ % roads.length];
    if (!next) throw new Error('there are two roads');
    return next;
  };
  await judged.write('sluice.yaml', config);
  const first = await judged.sluice(['deploy', 'staging', '--local']);
  expect(first, first.stderr).toMatchObject({ exitCode: 0 });

  async function live() {
    const { services, revisions } = client();
    const [found] = await services.getService({ name: service });
    const [all] = await revisions.listRevisions({ parent: service });
    const names = all.map(({ name = '' }) => lastPart(name ?? ''));
    const ready = all.filter(({ conditions }) =>
      conditions?.some(
        ({ type, state }) => (type === 'Ready' && String(state) === 'CONDITION_SUCCEEDED') || state === 4,
      ),
    );
    const needed = new Set(
      [...(found.traffic ?? []), ...(found.trafficStatuses ?? [])].map(({ revision }) => revision),
    );
    const spare = names.filter(
      (name) => !needed.has(name) && name !== lastPart(found.latestCreatedRevision ?? ''),
    );
    return { found, spare, ready: ready.map(({ name = '' }) => lastPart(name ?? '')) };
  }

  async function write(patch: object, ...paths: string[]): Promise<void> {
    const { services } = client();
    const [found] = await services.getService({ name: service });
    const [operation] = await services.updateService({
      service: { name: service, etag: found.etag ?? '', ...patch },
      updateMask: { paths },
    });
    await operation.promise();
  }

  const run = (...args: string[]) => judged.said(['run', ...args, `--region=${region}`]);
  const update = (...args: string[]) => run('services', 'update', 'web', ...args);
  const move = (...args: string[]) => run('services', 'update-traffic', 'web', ...args);
  const sluice = async (...args: string[]) => {
    const ended = await judged.sluice([...args, '--local']);
    expect([0, 10, 17], `${args.join(' ')}\n${ended.stdout}${ended.stderr}`).toContain(ended.exitCode);
    return `exit ${ended.exitCode}`;
  };

  async function perform({ kind, number, other }: Operation): Promise<string> {
    const { found, spare, ready } = await live();
    const pick = <T>(from: readonly T[], by: number) => from[by % Math.max(1, from.length)];
    const revision = pick(ready, number) ?? '';
    const another = pick(
      ready.filter((name) => name !== revision),
      other,
    );
    const tags = (found.traffic ?? []).flatMap(({ tag }) => (tag ? [tag] : []));
    const tag = pick(tags, number);
    const label = `label-${number % 5}`;
    const doomed = pick(spare, number);
    const percent = 1 + (number % 99);
    switch (kind) {
      case 'gcloud-env':
        await update(`--update-env-vars=BY_GCLOUD=${number}`);
        break;
      case 'gcloud-traffic':
        await move(`--to-revisions=${revision}=100`);
        break;
      case 'gcloud-split':
        if (!another) return 'no other revision';
        await move(`--to-revisions=${revision}=${percent},${another}=${100 - percent}`);
        break;
      case 'gcloud-latest':
        await move('--to-latest');
        break;
      case 'gcloud-tag':
        await move(`--update-tags=t${number % 4}=${revision}`);
        break;
      case 'gcloud-untag':
        if (!tag) return 'no tag';
        await move(`--remove-tags=${tag}`);
        break;
      case 'gcloud-label':
        await update(`--update-labels=${label}=v${other}`);
        break;
      case 'gcloud-delete':
        if (!doomed) return 'no spare revision';
        await run('revisions', 'delete', doomed);
        break;
      case 'gcloud-open':
      case 'gcloud-close': {
        const verb = kind === 'gcloud-open' ? 'add' : 'remove';
        const member = ['--member=allUsers', '--role=roles/run.invoker'];
        const bound = await run('services', 'get-iam-policy', 'web', '--format=json');
        if (verb === 'remove' && !bound.includes('allUsers')) return 'not bound';
        await run('services', `${verb}-iam-policy-binding`, 'web', ...member);
        break;
      }
      case 'client-env': {
        const [container] = found.template?.containers ?? [];
        const env = (container?.env ?? []).filter(({ name }) => name !== 'BY_CLIENT');
        const { revision: _, ...template } = found.template ?? {};
        const containers = [{ ...container, env: [...env, { name: 'BY_CLIENT', value: String(number) }] }];
        await write({ template: { ...template, containers } }, 'template');
        break;
      }
      case 'client-traffic':
        await write({ traffic: [{ type: 2, revision, percent: 100 }] }, 'traffic');
        break;
      case 'client-label':
        await write({ labels: { ...found.labels, [label]: `v${other}` } }, 'labels');
        break;
      case 'client-delete': {
        if (!doomed) return 'no spare revision';
        const [operation] = await client().revisions.deleteRevision({
          name: `${service}/revisions/${doomed}`,
        });
        await operation.promise();
        break;
      }
      case 'sluice-deploy':
        return sluice(
          'deploy',
          'staging',
          `--env=BY_SLUICE=${number}`,
          ...(other % 3 > 0 ? ['--take-over-traffic'] : []),
        );
      case 'sluice-rollback':
        return sluice(
          'rollback',
          'staging',
          `--to=${revision}`,
          ...(other % 3 > 0 ? ['--take-over-traffic'] : []),
        );
      case 'sluice-unpin':
        return sluice('unpin', 'staging');
      default:
        throw new Error(`no such operation: ${kind}`);
    }
    return 'done';
  }

  return {
    perform,
    async views() {
      // Not every write waits until it has taken effect.
      await expect.poll(async () => (await live()).found.reconciling, { timeout: 30_000 }).toBe(false);
      return Promise.all([byClient(client().services), byGcloud(judged), bySluice(judged)]);
    },
  };
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** By revision: the percents, and the tags in their order. */
function trafficOf(
  targets: readonly { revision: string; percent?: number | undefined; tag?: string | undefined }[],
) {
  const revisions = [...new Set(targets.map(({ revision }) => revision))].sort();
  return Object.fromEntries(
    revisions.map((revision) => {
      const own = targets.filter((target) => target.revision === revision);
      const percent = own.reduce((sum, target) => sum + (target.percent ?? 0), 0);
      const tags = own.flatMap(({ tag }) => (tag ? [tag] : [])).sort();
      return [revision, [`${percent} %`, ...tags].join(' ')];
    }),
  );
}

async function byClient(services: ServicesClient): Promise<View> {
  const [found] = await services.getService({ name: service });
  const [policy] = await services.getIamPolicy({ resource: service });
  const open = policy.bindings?.some(
    ({ role, members }) => role === 'roles/run.invoker' && members?.includes('allUsers'),
  );
  const latest = lastPart(found.latestReadyRevision ?? '');
  return {
    url: found.uri ?? '',
    ready: [4, 'CONDITION_SUCCEEDED'].includes(found.terminalCondition?.state ?? 0),
    public: found.invokerIamDisabled || (open ?? false),
    traffic: trafficOf(
      (found.trafficStatuses ?? []).map(({ revision, percent, tag }) => ({
        revision: revision || latest,
        percent: percent ?? 0,
        tag: tag ?? '',
      })),
    ),
  };
}

const knative = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
  status: z.object({
    url: z.string(),
    conditions: z.array(z.object({ type: z.string(), status: z.string() })),
    traffic: z.array(
      z.object({ revisionName: z.string(), percent: z.int().optional(), tag: z.string().optional() }),
    ),
  }),
});
const policySchema = z.object({
  bindings: z.array(z.object({ role: z.string(), members: z.array(z.string()) })).default([]),
});

async function byGcloud({ told }: Judged): Promise<View> {
  const described = ['describe', 'web', `--region=${region}`];
  const { metadata, status } = knative.parse(await told(['run', 'services', ...described]));
  const { bindings } = policySchema.parse(
    await told(['run', 'services', 'get-iam-policy', 'web', `--region=${region}`]),
  );
  const open = bindings.some(
    ({ role, members }) => role === 'roles/run.invoker' && members.includes('allUsers'),
  );
  return {
    url: status.url,
    ready: status.conditions.some(({ type, status: state }) => type === 'Ready' && state === 'True'),
    public: metadata.annotations['run.googleapis.com/invoker-iam-disabled'] === 'true' || open,
    traffic: trafficOf(
      status.traffic.map(({ revisionName, ...target }) => ({ revision: revisionName, ...target })),
    ),
  };
}

const statusDocument = z.object({
  services: z.tuple([
    z.object({
      live: z.object({
        ...{ url: z.string(), ready: z.boolean(), public: z.boolean() },
        latestReady: z.string(),
        actual: z.array(
          z.object({ revision: z.string(), percent: z.int().optional(), tag: z.string().optional() }),
        ),
      }),
    }),
  ]),
});

async function bySluice(judged: Judged): Promise<View> {
  const { stdout, stderr, exitCode } = await judged.sluice(['status', 'staging', '--local', '--json']);
  expect(exitCode, stdout + stderr).toBe(0);
  const [{ live }] = statusDocument.parse(JSON.parse(stdout)).services;
  const named = live.actual.map(({ revision, ...target }) => ({
    revision: revision === 'LATEST' ? live.latestReady : revision,
    ...target,
  }));
  return { url: live.url, ready: live.ready, public: live.public, traffic: trafficOf(named) };
}
