import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { status } from '@grpc/grpc-js';
import type { ImageStore, Runtime } from '../contracts.ts';
import { asRpcError, RpcError, toTimestamp } from '../grpc.ts';
import { untilWritten } from '../journal/failure.ts';
import type { Operation, OperationStore } from '../operations.ts';
import type { PackedAny } from '../protos.ts';
import { reconcilingConditions } from './conditions.ts';
import { checkServiceId, type RevisionName, type ServiceName } from './names.ts';
import { addRevision, changedTemplate } from './new-revision.ts';
import { completeSpec, newService } from './new-service.ts';
import { type Binding, nextPolicy, noPolicy, type Policy } from './policy.ts';
import { checkUnneeded, checkVersion, notFound, revisionVersion } from './refusals.ts';
import type { Rollout } from './rollout.ts';
import type { Spec, Template } from './schema.ts';
import { findRevision, type Revision, type RunState, refOf, type Service } from './state.ts';
import type { Packing } from './v2/packing.ts';

type Fields = Record<string, unknown>;

type WriteOptions = {
  /** The version (in decimals) that the caller has seen; with another one the write is Google's conflict. */
  version?: string | undefined;
  /** Checks everything and writes nothing. */
  validateOnly?: boolean | undefined;
};

type UpdateOptions = WriteOptions & {
  /** The write sends the name of its revision, which then must be a new one. */
  namesRevision?: boolean;
  allowMissing?: boolean | undefined;
};

/** What a write made of its service or revision, and the operation that ends when it has taken effect. */
type Write<T> = T & { operation: Operation };

/**
 * Cloud Run's services, revisions and policies: what both of its APIs, v1 (Knative) and v2, are faces of. Fields are
 * unchecked ones of the spec in schema.ts. All of it throws Google's refusals.
 */
export type RunModel = {
  services(place: { project: string; location: string }): Service[];
  service(name: ServiceName): Service;
  create(name: ServiceName, fields: Fields, options?: WriteOptions): Promise<Write<{ service: Service }>>;
  /** `edit` makes the fields of the new spec from the stored one. */
  update(
    name: ServiceName,
    edit: (stored: Spec | undefined) => Fields,
    options?: UpdateOptions,
  ): Promise<Write<{ service: Service }>>;
  remove(name: ServiceName, options?: WriteOptions): Promise<Write<{ service: Service }>>;
  revision(name: RevisionName): { service: Service; revision: Revision };
  removeRevision(
    name: RevisionName,
    options?: WriteOptions,
  ): Promise<Write<{ service: Service; revision: Revision }>>;
  policy(name: ServiceName): Policy;
  setPolicy(name: ServiceName, bindings: readonly Binding[], etag: Uint8Array | undefined): Promise<Policy>;
};

export type ModelParts = {
  state: RunState;
  operations: OperationStore;
  images: ImageStore;
  runtime: Runtime;
  rollout: Rollout;
  pack: Packing;
};

export function openModel(parts: ModelParts): RunModel {
  const { state, operations, pack, rollout, runtime } = parts;

  function find(name: ServiceName): Service {
    const service = state.find(name);
    if (!service) throw notFound(name, 'SERVICE', name.service);
    return service;
  }

  function findRevisionOf(name: RevisionName): { service: Service; revision: Revision } {
    const service = state.find(name);
    const revision = service && findRevision(service, name.revision);
    if (!service || !revision) throw notFound(name, 'REVISION', name.revision);
    return { service, revision };
  }

  /** Stores the new desired state, answers with the operation, and lets the rollout run behind it. */
  async function write(service: Service, spec: Spec, template: Template | undefined, validateOnly = false) {
    const { revisions, ...rest } = service;
    const draft: Service = { ...structuredClone(rest), revisions };
    const revision = template && addRevision(draft, template, parts.images);
    draft.spec = spec;
    draft.version += 1;
    draft.updateTime = new Date().toISOString();
    if (revision || !isDeepStrictEqual(service.spec, spec)) draft.generation += 1;
    draft.reconciling = true;
    draft.conditions = reconcilingConditions(draft, revision !== undefined, new Date());
    if (validateOnly) return { service: draft, operation: validated(pack.service(draft)) };

    const name = operationName(draft);
    draft.pending.push({ operation: name, ...(revision && { revision: revision.id }) });
    if (revision) draft.revisions = [...revisions, revision];
    const [operation] = await Promise.all([
      operations.create(name, pack.service(draft)),
      state.replace(service, draft, revision),
    ]);
    rollout.start(service);
    return { service: draft, operation };
  }

  async function create(name: ServiceName, fields: Fields, { validateOnly }: WriteOptions = {}) {
    checkServiceId(name.service);
    if (state.find(name)) {
      throw new RpcError(status.ALREADY_EXISTS, `Resource '${name.service}' already exists.`);
    }
    const spec = completeSpec(fields, name);
    return write(newService(name, spec), spec, spec.template, validateOnly);
  }

  async function update(
    name: ServiceName,
    edit: (stored: Spec | undefined) => Fields,
    options: UpdateOptions = {},
  ) {
    const { version, validateOnly, namesRevision = false, allowMissing } = options;
    if (allowMissing && !state.find(name)) return create(name, edit(undefined), options);
    const service = find(name);
    checkVersion(name.service, version, service.version);
    const spec = completeSpec(edit(service.spec), name);
    const template = changedTemplate(service, spec.template, namesRevision);
    return write(service, spec, template, validateOnly);
  }

  async function remove(name: ServiceName, { version, validateOnly }: WriteOptions = {}) {
    const service = find(name);
    checkVersion(name.service, version, service.version);
    if (validateOnly) return { service, operation: validated(pack.service(service)) };
    const [operation] = await Promise.all([
      operations.create(operationName(name), pack.service(service)),
      state.remove(service),
    ]);
    void endDeletion(service, operation.name);
    return { service, operation };
  }

  async function endDeletion(service: Service, operation: string) {
    try {
      await rollout.remove(service);
      const response = pack.service(service, { deleteTime: toTimestamp(new Date()) });
      await untilWritten(() => operations.complete(operation, { response }));
    } catch (error) {
      await untilWritten(() => operations.complete(operation, { error: asRpcError(error) }));
    }
  }

  async function removeRevision(name: RevisionName, { version, validateOnly }: WriteOptions = {}) {
    const { service, revision } = findRevisionOf(name);
    checkVersion(revision.id, version, revisionVersion(revision));
    checkUnneeded(service, revision);
    const resource = pack.revision(service, revision);
    if (validateOnly) return { service, revision, operation: validated(resource) };
    const [operation] = await Promise.all([
      operations.create(operationName(service), resource),
      state.removeRevision(service, revision),
    ]);
    void runtime.remove(refOf(service, revision));
    void untilWritten(() => operations.complete(operation.name, { response: resource }));
    return { service, revision, operation };
  }

  return {
    ...{ create, update, remove, removeRevision },
    services: ({ project, location }) =>
      state
        .services()
        .filter((each) => each.project === project && (location === '-' || each.location === location)),
    service: find,
    revision: findRevisionOf,
    policy: (name) => find(name).policy ?? noPolicy,
    async setPolicy(name, bindings, etag) {
      const service = find(name);
      const policy = nextPolicy(service.policy ?? noPolicy, bindings, etag);
      await state.replace(service, { ...service, policy }, undefined);
      rollout.start(service);
      return policy;
    },
  };
}

function operationName({ project, location }: { project: string; location: string }): string {
  return `projects/${project}/locations/${location}/operations/${randomUUID()}`;
}

/** Nothing was done, so the operation has no name to ask for again. */
function validated(resource: PackedAny): Operation {
  return { name: '', metadata: resource, done: true, response: resource };
}
