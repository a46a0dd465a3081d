import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { z } from 'zod';
import { RpcError, unary } from '../grpc.ts';
import { type Builds, createBuild } from './service.ts';

const submitSchema = z.strictObject({
  parent: z.string(),
  storageSource: z.strictObject({
    bucket: z.string().min(1),
    object: z.string().min(1),
    generation: z.union([z.string(), z.number()]).transform(String).optional(),
  }),
  imageUri: z.string().min(1),
  buildpackBuild: z
    .strictObject({
      environmentVariables: z.record(z.string(), z.string()).default({}),
      // What gcloud names by default: an image with all runtimes. There is only this machine's here.
      baseImage: z
        .string()
        .regex(
          /^([a-z0-9.-]+\/)*buildpacks\/google-\d+\/run(-full)?(:\w[\w.-]*)?$/,
          'is not supported by the local cloud',
        )
        .optional(),
    })
    .optional(),
  dockerBuild: z.strictObject({}).optional(),
  serviceAccount: z.string().optional(),
  tags: z.array(z.string()).default([]),
  /** Taken, and without an effect, as in a build's options. */
  machineType: z.string().optional(),
  client: z.string().optional(),
  releaseTrack: z.string().optional(),
});
type Submission = z.output<typeof submitSchema>;

/** `google.cloud.run.v2.Builds`: the build behind `gcloud run deploy --source`, run by Cloud Build in the same region. */
export function submitService(builds: Builds): UntypedServiceImplementation {
  return {
    SubmitBuild: unary(async (request) => {
      const submission = readSubmission(request);
      const [, project, location] = /^projects\/([^/]+)\/locations\/([^/]+)$/.exec(submission.parent) ?? [];
      if (project === undefined || location === undefined)
        throw new RpcError(status.INVALID_ARGUMENT, `malformed parent '${submission.parent}'`);
      const where = { project, location };
      const buildOperation = await createBuild(builds, where, messageOf(submission));
      return { buildOperation };
    }),
  };
}

function readSubmission(request: unknown): Submission {
  const parsed = submitSchema.safeParse(withoutEmpty(request));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const named = keys.map((key) => (where === '' ? key : `${where}.${key}`)).join(', ');
  const why = named === '' ? `${where}: ${issue?.message}` : `the local cloud does not support ${named}`;
  throw new RpcError(status.INVALID_ARGUMENT, `invalid build: ${why}`);
}

/** What a client sends for "not set" is not set. */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const set = Object.entries(value)
    .map(([key, inner]): [string, unknown] => [key, withoutEmpty(inner)])
    .filter(([, inner]) => inner !== '' && inner !== false && inner !== null && inner !== undefined);
  return Object.fromEntries(set);
}

function messageOf(submission: Submission): Record<string, unknown> {
  const { storageSource, imageUri, buildpackBuild, dockerBuild, serviceAccount, tags } = submission;
  if (!buildpackBuild === !dockerBuild)
    throw new RpcError(
      status.INVALID_ARGUMENT,
      'exactly one of buildpack_build and docker_build must be set',
    );
  return {
    source: { storageSource },
    steps: [buildpackBuild ? packStep(imageUri, buildpackBuild.environmentVariables) : dockerStep(imageUri)],
    images: [imageUri],
    tags,
    ...(serviceAccount && { serviceAccount }),
    options: { defaultLogsBucketBehavior: 'REGIONAL_USER_OWNED_BUCKET' },
  };
}

function packStep(image: string, variables: Record<string, string>): object {
  const env = Object.entries(variables).flatMap(([name, value]) => [
    '--env',
    `${name}=${value}`.replaceAll('$', '$$$$'),
  ]);
  const args = [
    'build',
    image,
    '--builder',
    'gcr.io/buildpacks/builder:latest',
    '--network',
    'cloudbuild',
    ...env,
  ];
  return { name: 'gcr.io/k8s-skaffold/pack', entrypoint: 'pack', args };
}

function dockerStep(image: string): object {
  const args = ['build', '--network', 'cloudbuild', '--no-cache', '-t', image, '.'];
  return { name: 'gcr.io/cloud-builders/docker', args };
}
