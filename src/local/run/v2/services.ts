import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { unary } from '../../grpc.ts';
import type { RunModel } from '../model.ts';
import { parseParent, parseServiceName } from '../names.ts';
import { page } from '../page.ts';
import { specFields } from '../spec-fields.ts';
import { versionOf } from './etag.ts';
import { applyMask, covers } from './mask.ts';
import { policyMethods } from './policies.ts';
import { renderService } from './render.ts';

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
export function servicesService(model: RunModel): UntypedServiceImplementation {
  async function create({ parent = '', service = {}, serviceId = '', validateOnly }: CreateRequest) {
    const name = { ...parseParent(parent), service: serviceId };
    const { operation } = await model.create(name, specFields(service), { validateOnly });
    return operation;
  }

  async function update({ service: sent = {}, updateMask, validateOnly, allowMissing }: UpdateRequest) {
    const name = parseServiceName(sent.name ?? '', 'service.name');
    const fields = specFields(sent);
    const paths = updateMask?.paths ?? [];
    const { operation } = await model.update(
      name,
      (stored) => (stored ? applyMask(stored, fields, paths) : fields),
      {
        ...{ version: versionOf(sent.etag), validateOnly, allowMissing },
        namesRevision: covers(paths, 'template.revision'),
      },
    );
    return operation;
  }

  async function remove({ name = '', etag, validateOnly }: DeleteRequest) {
    const options = { version: versionOf(etag), validateOnly };
    const { operation } = await model.remove(parseServiceName(name), options);
    return operation;
  }

  return {
    CreateService: unary(create),
    GetService: unary(({ name = '' }: { name?: string }) =>
      renderService(model.service(parseServiceName(name))),
    ),
    ListServices: unary(({ parent = '', pageSize, pageToken }: ListRequest) => {
      const { items, nextPageToken } = page(model.services(parseParent(parent)), pageSize, pageToken);
      return { services: items.map(renderService), nextPageToken };
    }),
    UpdateService: unary(update),
    DeleteService: unary(remove),
    ...policyMethods(model),
  };
}
