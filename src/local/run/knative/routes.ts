import { status } from '@grpc/grpc-js';
import { type Context, Hono } from 'hono';
import { RpcError } from '../../grpc.ts';
import { readObject } from '../../web/body.ts';
import type { WebEnv } from '../../web/env.ts';
import type { RunModel } from '../model.ts';
import type { ServiceName } from '../names.ts';
import { firstRefusal, SpecError } from '../spec-error.ts';
import { findRevision as findOwn, type Revision, type Service } from '../state.ts';
import { knativePath } from './field-path.ts';
import { fromKnative } from './from-knative.ts';
import { listPage, selected } from './lists.ts';
import { locations } from './locations.ts';
import {
  knativeConfiguration,
  knativeRevision,
  knativeRoute,
  knativeService,
  revisionLabels,
} from './objects.ts';
import { policyRoutes } from './policy-routes.ts';
import { readResourceVersion } from './resource-version.ts';
import { type KnativeService, knativeServiceSchema } from './schema.ts';

type C = Context<WebEnv>;

/**
 * Cloud Run's v1 API (run.googleapis.com, v1): the one that gcloud speaks. Knative's own paths say no region: it
 * stands in the host that the request was sent to.
 */
export function knativeRoutes(model: RunModel): Hono<WebEnv> {
  const knative = '/apis/serving.knative.dev/v1/namespaces/:project';
  const place = (c: C) => ({
    project: parameter(c, 'project'),
    location: c.req.param('location') ?? regionOf(c),
  });
  const serviceName = (c: C): ServiceName => ({ ...place(c), service: parameter(c, 'name') });

  async function create(c: C) {
    const sent = await readService(c);
    const name = { ...place(c), service: sent.metadata?.name ?? '' };
    checkNamespace(sent, name);
    const { service } = await model
      .create(name, fromKnative(sent), { validateOnly: isDryRun(c) })
      .catch(inKnativeWords);
    return c.json(knativeService(service));
  }

  async function replace(c: C) {
    const sent = await readService(c);
    const name = serviceName(c);
    checkNamespace(sent, name);
    const { resourceVersion } = sent.metadata ?? {};
    const version = resourceVersion ? readResourceVersion(resourceVersion) : undefined;
    const { service } = await model
      .update(name, () => fromKnative(sent), { version, validateOnly: isDryRun(c) })
      .catch(inKnativeWords);
    return c.json(knativeService(service));
  }

  async function remove(c: C) {
    const { service } = await model.remove(serviceName(c), { validateOnly: isDryRun(c) });
    return c.json(deleted('services', service.service, service.uid));
  }

  function listOf(c: C, kind: string, render: (service: Service) => object) {
    const found = selected(c, model.services(place(c)), ({ spec, location }) => ({
      ...spec.labels,
      'cloud.googleapis.com/location': location,
    }));
    return c.json(listPage(c, kind, found, render));
  }

  /** The newest first. */
  function allRevisions(c: C): { service: Service; revision: Revision }[] {
    return model
      .services(place(c))
      .flatMap((service) => service.revisions.map((revision) => ({ service, revision })))
      .sort((a, b) => b.revision.createTime.localeCompare(a.revision.createTime));
  }

  /** In Knative a revision has its name in the whole namespace. */
  function findRevision(c: C): { service: Service; revision: Revision } {
    const revision = parameter(c, 'name');
    const owner = model.services(place(c)).find((service) => findOwn(service, revision));
    return model.revision({ ...place(c), service: owner?.service ?? '', revision });
  }

  const app = new Hono<WebEnv>();
  for (const base of [knative, '/v1/projects/:project/locations/:location']) {
    app
      .get(`${base}/services`, (c) => listOf(c, 'ServiceList', knativeService))
      .post(`${base}/services`, create)
      .get(`${base}/services/:name{[^/:]+}`, (c) => c.json(knativeService(model.service(serviceName(c)))))
      .put(`${base}/services/:name{[^/:]+}`, replace)
      .delete(`${base}/services/:name{[^/:]+}`, remove)
      .get(`${base}/configurations`, (c) => listOf(c, 'ConfigurationList', knativeConfiguration))
      .get(`${base}/configurations/:name`, (c) => c.json(knativeConfiguration(model.service(serviceName(c)))))
      .get(`${base}/routes`, (c) => listOf(c, 'RouteList', knativeRoute))
      .get(`${base}/routes/:name`, (c) => c.json(knativeRoute(model.service(serviceName(c)))))
      .get(`${base}/revisions`, (c) => {
        const found = selected(c, allRevisions(c), ({ service, revision }) =>
          revisionLabels(service, revision),
        );
        return c.json(
          listPage(c, 'RevisionList', found, ({ service, revision }) => knativeRevision(service, revision)),
        );
      })
      .get(`${base}/revisions/:name`, (c) => {
        const { service, revision } = findRevision(c);
        return c.json(knativeRevision(service, revision));
      })
      .delete(`${base}/revisions/:name`, async (c) => {
        const { service, revision } = findRevision(c);
        const name = { ...service, revision: revision.id };
        await model.removeRevision(name, { validateOnly: isDryRun(c) });
        return c.json(deleted('revisions', revision.id, revision.uid));
      });
  }
  app.get('/v1/projects/:project/locations', (c) =>
    c.json({ locations: locations.map((id) => location(c, id)) }),
  );
  return app.route('/', policyRoutes(model));
}

function parameter(c: C, name: string): string {
  return c.req.param(name) ?? '';
}

function regionOf(c: C): string {
  const { location } = c.env;
  if (location !== undefined) return location;
  throw new RpcError(
    status.INVALID_ARGUMENT,
    "Knative's paths name no region: send the request to REGION-run.sluice.internal, by the local cloud as a proxy.",
  );
}

async function readService(c: C): Promise<KnativeService> {
  const parsed = knativeServiceSchema.safeParse(await readObject(c));
  if (parsed.success) return parsed.data;
  throw badRequest(firstRefusal(parsed.error));
}

function checkNamespace({ metadata = {} }: KnativeService, { project, service }: ServiceName): void {
  const { namespace, name } = metadata;
  if (namespace && namespace !== project) {
    throw new SpecError(
      ['metadata', 'namespace'],
      `'${namespace}' is not the namespace of the request, '${project}'.`,
    );
  }
  if (name && name !== service) {
    throw new SpecError(['metadata', 'name'], `'${name}' is not the service of the request, '${service}'.`);
  }
}

function inKnativeWords(error: unknown): never {
  throw error instanceof SpecError ? badRequest(error, knativePath(error.path)) : error;
}

/** gcloud takes 501, as any 5xx, for a failure that passes, and tries again for half a minute. */
function badRequest({ path, problem }: SpecError, field?: string): SpecError {
  return new SpecError(path, problem, status.INVALID_ARGUMENT, field);
}

function isDryRun(c: C): boolean {
  const asked = c.req.query('dryRun');
  if (asked === undefined || asked === '') return false;
  if (asked === 'all') return true;
  throw new RpcError(status.INVALID_ARGUMENT, `dryRun: '${asked}' is not supported: it can be 'all'.`);
}

function deleted(kind: string, name: string, uid: string): object {
  return {
    ...{ apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success' },
    details: { group: 'serving.knative.dev', kind, name, uid },
  };
}

function location(c: C, locationId: string): object {
  return { name: `projects/${parameter(c, 'project')}/locations/${locationId}`, locationId };
}
