import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ImageStore } from '../contracts.ts';
import { asRpcError, type Protos, RpcError, toTimestamp, unary } from '../grpc.ts';
import { untilWritten } from '../journal/failure.ts';
import type { Operation, OperationStore } from '../operations.ts';
import { reconcilingConditions } from './conditions.ts';
import { checkEtag } from './etag.ts';
import { applyMask, covers } from './mask.ts';
import { checkServiceId, parseParent, parseServiceName, type ServiceName } from './names.ts';
import { addRevision, changedTemplate } from './new-revision.ts';
import { page } from './page.ts';
import { renderService } from './render.ts';
import { checkResources } from './resources.ts';
import type { Rollout } from './rollout.ts';
import type { Spec, Template } from './schema.ts';
import { parseSpec, specFields } from './spec-fields.ts';
import type { RunState, Service } from './state.ts';
import { withDefaults } from './template.ts';
import { allToLatest, checkTraffic } from './traffic.ts';
import { checkVolumes } from './volumes.ts';

export type ServicesParts = {
  state: RunState;
  protos: Protos;
  operations: OperationStore;
  images: ImageStore;
  rollout: Rollout;
};

type ServiceMessage = { name?: string; etag?: string };
type CreateRequest = {
  parent?: string;
  service?: ServiceMessage;
  serviceId?: string;
  validateOnly?: boolean;
};
type UpdateRequest = {
  service?: ServiceMessage;
  updateMask?: { paths?: string[] };
  validateOnly?: boolean;
  allowMissing?: boolean;
};
type DeleteRequest = { name?: string; etag?: string; validateOnly?: boolean };
type ListRequest = { parent?: string; pageSize?: number; pageToken?: string };

/** `google.cloud.run.v2.Services` */
export function servicesService(parts: ServicesParts): UntypedServiceImplementation {
  const { state, protos, operations, rollout } = parts;
  const pack = (service: Service) => protos.pack('google.cloud.run.v2.Service', renderService(service));

  async function create(name: ServiceName, fields: Record<string, unknown>, validateOnly = false) {
    checkServiceId(name.service);
    if (state.find(name)) {
      throw new RpcError(status.ALREADY_EXISTS, `Resource '${name.service}' already exists.`);
    }
    const spec = completeSpec(fields, name);
    return write(newService(name, spec), spec, spec.template, validateOnly);
  }

  /** Stores the new desired state, answers with the operation, and lets the rollout run behind it. */
  async function write(service: Service, spec: Spec, template: Template | undefined, validateOnly: boolean) {
    const { revisions, ...rest } = service;
    const draft: Service = { ...structuredClone(rest), revisions };
    const revision = template && addRevision(draft, template, parts.images);
    draft.spec = spec;
    draft.version += 1;
    draft.updateTime = new Date().toISOString();
    if (revision || !isDeepStrictEqual(service.spec, spec)) draft.generation += 1;
    draft.reconciling = true;
    draft.conditions = reconcilingConditions(draft, revision !== undefined, new Date());
    if (validateOnly) return validated(pack(draft));

    const name = operationName(draft);
    draft.pending.push({ operation: name, ...(revision && { revision: revision.id }) });
    if (revision) draft.revisions = [...revisions, revision];
    const [operation] = await Promise.all([
      operations.create(name, pack(draft)),
      state.replace(service, draft, revision),
    ]);
    rollout.start(service);
    return operation;
  }

  async function update({ service: sent = {}, updateMask, validateOnly, allowMissing }: UpdateRequest) {
    const name = parseServiceName(sent.name ?? '', 'service.name');
    const service = state.find(name);
    const fields = specFields(sent);
    if (!service) {
      if (allowMissing) return create(name, fields, validateOnly);
      throw notFound(name);
    }
    checkEtag(name.service, sent.etag, service.version);
    const paths = updateMask?.paths ?? [];
    const spec = completeSpec(applyMask(service.spec, fields, paths), name);
    const template = changedTemplate(service, spec.template, covers(paths, 'template.revision'));
    return write(service, spec, template, validateOnly ?? false);
  }

  async function remove({ name: path = '', etag, validateOnly }: DeleteRequest) {
    const name = parseServiceName(path);
    const service = requireService(state, name);
    checkEtag(name.service, etag, service.version);
    if (validateOnly) return validated(pack(service));
    const [operation] = await Promise.all([
      operations.create(operationName(name), pack(service)),
      state.remove(service),
    ]);
    void endDeletion(service, operation.name);
    return operation;
  }

  async function endDeletion(service: Service, operation: string) {
    try {
      await rollout.remove(service);
      const deleted = { ...renderService(service), deleteTime: toTimestamp(new Date()) };
      const response = protos.pack('google.cloud.run.v2.Service', deleted);
      await untilWritten(() => operations.complete(operation, { response }));
    } catch (error) {
      await untilWritten(() => operations.complete(operation, { error: asRpcError(error) }));
    }
  }

  return {
    CreateService: unary(({ parent = '', service = {}, serviceId = '', validateOnly }: CreateRequest) =>
      create({ ...parseParent(parent), service: serviceId }, specFields(service), validateOnly),
    ),
    GetService: unary(({ name = '' }: { name?: string }) =>
      renderService(requireService(state, parseServiceName(name))),
    ),
    ListServices: unary(({ parent = '', pageSize, pageToken }: ListRequest) => {
      const { project, location } = parseParent(parent);
      const found = state
        .services()
        .filter(
          (service) => service.project === project && (location === '-' || service.location === location),
        );
      const { items, nextPageToken } = page(found, pageSize, pageToken);
      return { services: items.map(renderService), nextPageToken };
    }),
    UpdateService: unary(update),
    DeleteService: unary(remove),
  };
}

export function requireService(state: RunState, name: ServiceName): Service {
  const service = state.find(name);
  if (!service) throw notFound(name);
  return service;
}

function notFound({ project, location, service }: ServiceName): RpcError {
  return new RpcError(
    status.NOT_FOUND,
    `Resource '${service}' of kind 'SERVICE' in region '${location}' in project '${project}' does not exist.`,
  );
}

export function operationName({ project, location }: { project: string; location: string }): string {
  return `projects/${project}/locations/${location}/operations/${randomUUID()}`;
}

/** Nothing was done, so the operation has no name to ask for again. */
export function validated(resource: Operation['metadata']): Operation {
  return { name: '', metadata: resource, done: true, response: resource };
}

function completeSpec(fields: Record<string, unknown>, name: ServiceName): Spec {
  const spec = parseSpec(fields);
  const traffic = spec.traffic ?? allToLatest;
  checkTraffic(name.service, traffic);
  const defaults = { launchStage: 'GA', ingress: 'INGRESS_TRAFFIC_ALL' } as const;
  const template = withDefaults(spec.template, name);
  checkResources(template);
  checkVolumes(template);
  return { ...defaults, ...spec, traffic, template };
}

function newService(name: ServiceName, spec: Spec): Service {
  const now = new Date();
  return {
    ...name,
    uid: randomUUID(),
    generation: 0,
    observedGeneration: 0,
    version: now.getTime() * 1000,
    createTime: now.toISOString(),
    updateTime: now.toISOString(),
    spec,
    revisions: [],
    lastNumber: 0,
    latestCreated: '',
    reconciling: true,
    conditions: [],
    actual: [],
    uri: '',
    tagUris: {},
    pending: [],
  };
}
