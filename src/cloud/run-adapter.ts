import type { google } from '@google-cloud/run/build/protos/protos.js';
import { apiMethods } from './api-methods.ts';
import { gaxOptions, invoke, once, readMethod, writeMethod } from './call.ts';
import { cloudError } from './errors.ts';
import { leanGax } from './lean-gax.ts';
import { awaitOperation, channelOf } from './operations.ts';
import {
  type Call,
  CloudError,
  type LiveService,
  type RunPort,
  type ServiceEdit,
  type ServiceRef,
} from './ports/index.ts';
import { editService, newService } from './run-edit.ts';
import { toLiveRevision, toLiveService } from './run-normalise.ts';
import { type Adapter, lazyClient, onOneChannel, type Session } from './session.ts';

const methods = {
  readService: readMethod('run.services.get', 10_000),
  createService: writeMethod('run.services.create', 15_000),
  updateService: writeMethod('run.services.update', 15_000),
  deleteService: writeMethod('run.services.delete', 15_000),
  validate: readMethod('run.services.validate', 10_000),
  readPolicy: readMethod('run.services.getIamPolicy', 10_000),
  readRevision: readMethod('run.revisions.get', 10_000),
  listRevisions: readMethod('run.revisions.list', 20_000),
};
const maxPageSize = 100;

export function runAdapter(session: Session): Adapter<RunPort> {
  const { waiting } = session;
  const gax = once(() => leanGax(apiMethods.run));
  const options = once(async () => ({ ...(await session.grpcOptions()), ...(await onOneChannel()) }));
  const services = lazyClient(async () => {
    const { ServicesClient } = await import('@google-cloud/run/build/src/v2/services_client.js');
    return new ServicesClient(await options(), await gax());
  });
  const revisions = lazyClient(async () => {
    const { RevisionsClient } = await import('@google-cloud/run/build/src/v2/revisions_client.js');
    return new RevisionsClient(await options(), await gax());
  });
  const onServices = { client: services.client, waiting };
  const onRevisions = { client: revisions.client, waiting };
  const onChannel = {
    client: async () => channelOf(await (await services.client()).servicesStub),
    waiting,
  };

  /** Does the IAM policy let everybody in? Who may not read it learns nothing: then the service counts as closed. */
  async function isOpen(resource: string, call: Call): Promise<boolean> {
    try {
      const policy = await invoke(onServices, methods.readPolicy, resource, call, async (client, limits) => {
        const [found] = await client.getIamPolicy({ resource }, gaxOptions(limits));
        return found;
      });
      return (policy.bindings ?? []).some(
        ({ role, members }) => role === 'roles/run.invoker' && members?.includes('allUsers'),
      );
    } catch (error) {
      if (error instanceof CloudError && ['forbidden', 'not-found'].includes(error.kind)) return false;
      throw error;
    }
  }

  const port: RunPort = {
    async readService(ref, call) {
      const name = serviceName(ref);
      const reply = await absent(
        invoke(onServices, methods.readService, name, call, async (client, limits) => {
          const [service] = await client.getService({ name }, gaxOptions(limits));
          return service;
        }),
      );
      return reply && toLiveService(ref, reply, !reply.invokerIamDisabled && (await isOpen(name, call)));
    },

    async createService(ref, edit, call) {
      const name = serviceName(ref);
      const request = createRequest(ref, edit);
      return invoke(onServices, methods.createService, name, call, async (client, limits) => {
        const [operation] = await client.createService(request, gaxOptions(limits));
        return operation.name ?? '';
      });
    },

    async updateService(live, edit, call) {
      const name = serviceName(live.ref);
      const request = updateRequest(live, edit);
      return invoke(onServices, methods.updateService, name, call, async (client, limits) => {
        const [operation] = await client.updateService(request, gaxOptions(limits));
        return operation.name ?? '';
      });
    },

    async validate(ref, live, edit, call) {
      await invoke(onServices, methods.validate, serviceName(ref), call, async (client, limits) => {
        const validateOnly = true;
        if (live)
          await client.updateService({ ...updateRequest(live, edit), validateOnly }, gaxOptions(limits));
        else await client.createService({ ...createRequest(ref, edit), validateOnly }, gaxOptions(limits));
      });
    },

    async deleteService(ref, call) {
      const name = serviceName(ref);
      return invoke(onServices, methods.deleteService, name, call, async (client, limits) => {
        const [operation] = await client.deleteService({ name }, gaxOptions(limits));
        return operation.name ?? '';
      });
    },

    awaitOperation: (operation, call) => awaitOperation(onChannel, operation, call),

    async readRevision(ref, revision, call) {
      const name = `${serviceName(ref)}/revisions/${revision}`;
      const reply = await absent(
        invoke(onRevisions, methods.readRevision, name, call, async (client, limits) => {
          const [found] = await client.getRevision({ name }, gaxOptions(limits));
          return found;
        }),
      );
      return reply && toLiveRevision(reply);
    },

    async listRevisions(ref, limit, call) {
      const parent = serviceName(ref);
      const found = await invoke(onRevisions, methods.listRevisions, parent, call, async (client, limits) => {
        const request = { parent, pageSize: Math.min(limit, maxPageSize) };
        const revisions: google.cloud.run.v2.IRevision[] = [];
        // The API's order is by creation time, newest first.
        for await (const revision of client.listRevisionsAsync(request, gaxOptions(limits))) {
          if (revisions.push(revision) >= limit) break;
        }
        return revisions;
      });
      return found.map(toLiveRevision);
    },
  };

  return {
    port,
    warm: services.client,
    close: async () => {
      await Promise.all([services.close(), revisions.close()]);
    },
  };
}

/** `raw` is opaque outside; here it is the message that `toLiveService` put there. */
function decoded(live: LiveService): google.cloud.run.v2.IService {
  return live.raw as google.cloud.run.v2.IService;
}

function createRequest(ref: ServiceRef, edit: ServiceEdit) {
  const { template } = edit;
  if (!template) {
    throw cloudError('invalid', 'a new service needs a template', about('create', serviceName(ref)));
  }
  return {
    parent: locationName(ref),
    serviceId: ref.service,
    service: newService({ ...edit, template }),
  };
}

function updateRequest(live: LiveService, edit: ServiceEdit) {
  const { service, mask } = editService(decoded(live), edit);
  // An empty mask would mean: replace the whole service.
  if (mask.length === 0)
    throw cloudError('invalid', 'the edit is empty', about('update', serviceName(live.ref)));
  return { service, updateMask: { paths: mask } };
}

async function absent<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof CloudError && error.kind === 'not-found') return undefined;
    throw error;
  }
}

function about(verb: 'create' | 'update', resource: string): { method: string; resource: string } {
  return { method: `run.services.${verb}`, resource };
}

function locationName(ref: ServiceRef): string {
  return `projects/${ref.project}/locations/${ref.region}`;
}

function serviceName(ref: ServiceRef): string {
  return `${locationName(ref)}/services/${ref.service}`;
}
