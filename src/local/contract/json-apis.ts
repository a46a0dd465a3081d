import { compileTemplate } from '../rest/path-template.ts';

/** A method of a JSON API that has no protos here, named as in Google's discovery document or protos. */
export type JsonMethod = { api: JsonApi; method: string; verb: string; template: string };
type Row = [verb: string, template: string, method: string];

const knative = '/apis/serving.knative.dev/v1/namespaces/*';
const secret = '/v1/{name=projects/*/secrets/*}';
const bucket = '/storage/v1/b/{bucket}';
const object = `${bucket}/o/{object=**}`;

/** Cloud SQL's Admin API goes by two names. */
function sqlMethods(project: string): Row[] {
  const instances = `${project}/instances`;
  const [databases, users] = [`${instances}/{instance}/databases`, `${instances}/{instance}/users`];
  return [
    ['GET', instances, 'instances.list'],
    ['POST', instances, 'instances.insert'],
    ['GET', `${instances}/{instance}`, 'instances.get'],
    ['DELETE', `${instances}/{instance}`, 'instances.delete'],
    ['GET', `${project}/operations`, 'operations.list'],
    ['GET', `${project}/operations/{operation}`, 'operations.get'],
    ['GET', databases, 'databases.list'],
    ['POST', databases, 'databases.insert'],
    ['GET', `${databases}/{database}`, 'databases.get'],
    ['DELETE', `${databases}/{database}`, 'databases.delete'],
    ['GET', users, 'users.list'],
    ['POST', users, 'users.insert'],
    ['PUT', users, 'users.update'],
    ['GET', `${users}/{user}`, 'users.get'],
    ['DELETE', users, 'users.delete'],
  ];
}

/**
 * Knative's Serving is the other face of Run: its methods go by the names that Run v2 has for them, so a fault in
 * one is a fault in both.
 */
const methods = {
  run: [
    ...[knative, '/v1/projects/*/locations/*'].flatMap((base): Row[] => [
      ['GET', `${base}/services`, 'ListServices'],
      ['POST', `${base}/services`, 'CreateService'],
      ['GET', `${base}/services/*`, 'GetService'],
      ['PUT', `${base}/services/*`, 'UpdateService'],
      ['DELETE', `${base}/services/*`, 'DeleteService'],
      ['GET', `${base}/configurations`, 'ListConfigurations'],
      ['GET', `${base}/configurations/*`, 'GetConfiguration'],
      ['GET', `${base}/routes`, 'ListRoutes'],
      ['GET', `${base}/routes/*`, 'GetRoute'],
      ['GET', `${base}/revisions`, 'ListRevisions'],
      ['GET', `${base}/revisions/*`, 'GetRevision'],
      ['DELETE', `${base}/revisions/*`, 'DeleteRevision'],
    ]),
    ['GET', '/v1/projects/*/locations/*/services/*:getIamPolicy', 'GetIamPolicy'],
    ['POST', '/v1/projects/*/locations/*/services/*:setIamPolicy', 'SetIamPolicy'],
    ['POST', '/v1/projects/*/locations/*/services/*:testIamPermissions', 'TestIamPermissions'],
    ['GET', '/v1/projects/*/locations', 'ListLocations'],
  ],
  secrets: [
    ['GET', '/v1/{parent=projects/*}/secrets', 'ListSecrets'],
    ['POST', '/v1/{parent=projects/*}/secrets', 'CreateSecret'],
    ['GET', secret, 'GetSecret'],
    ['PATCH', secret, 'UpdateSecret'],
    ['DELETE', secret, 'DeleteSecret'],
    ['POST', `${secret}:addVersion`, 'AddSecretVersion'],
    ['GET', `${secret}/versions`, 'ListSecretVersions'],
    ['GET', `${secret}/versions/*`, 'GetSecretVersion'],
    ['GET', `${secret}/versions/*:access`, 'AccessSecretVersion'],
    ['POST', `${secret}/versions/*:enable`, 'EnableSecretVersion'],
    ['POST', `${secret}/versions/*:disable`, 'DisableSecretVersion'],
    ['POST', `${secret}/versions/*:destroy`, 'DestroySecretVersion'],
  ],
  sql: [...sqlMethods('/sql/v1beta4/projects/{project}'), ...sqlMethods('/v1/projects/{project}')],
  storage: [
    ['GET', '/storage/v1/b', 'buckets.list'],
    ['POST', '/storage/v1/b', 'buckets.insert'],
    ['GET', bucket, 'buckets.get'],
    ['DELETE', bucket, 'buckets.delete'],
    ['GET', `${bucket}/storageLayout`, 'buckets.getStorageLayout'],
    ['GET', `${bucket}/managedFolders`, 'managedFolders.list'],
    ['GET', `${bucket}/o`, 'objects.list'],
    ['GET', object, 'objects.get'],
    ['GET', '/download/storage/v1/b/{bucket}/o/{object=**}', 'objects.get'],
    ['DELETE', object, 'objects.delete'],
    ['PATCH', object, 'objects.patch'],
    ['POST', `${bucket}/o/{object=*}/rewriteTo/b/*/o/{destination=**}`, 'objects.rewrite'],
    ['POST', `${bucket}/o/{object=**}/compose`, 'objects.compose'],
    ['POST', '/upload/storage/v1/b/{bucket}/o', 'objects.insert'],
    ['PUT', '/upload/storage/v1/b/{bucket}/o', 'objects.insert'],
    ['POST', '/resumable/upload/storage/v1/b/{bucket}/o', 'objects.insert'],
    ['PUT', '/resumable/upload/storage/v1/b/{bucket}/o', 'objects.insert'],
  ],
  artifacts: [
    ['GET', '/v1/projects/*/locations/*/repositories', 'ListRepositories'],
    ['POST', '/v1/projects/*/locations/*/repositories', 'CreateRepository'],
    ['GET', '/v1/projects/*/locations/*/repositories/*', 'GetRepository'],
    ['GET', '/v1/projects/*/locations/*/operations/create-repository-*', 'GetOperation'],
  ],
  serviceusage: [
    ['GET', '/v1/projects/*/services', 'ListServices'],
    ['GET', '/v1/projects/*/services:batchGet', 'BatchGetServices'],
    ['POST', '/v1/projects/*/services:batchEnable', 'BatchEnableServices'],
    ['GET', '/v1/projects/*/services/*', 'GetService'],
    ['POST', '/v1/projects/*/services/*:enable', 'EnableService'],
  ],
  projects: [
    ['GET', '/v1/projects/*', 'GetProject'],
    ['GET', '/v3/projects/*', 'GetProject'],
  ],
  iam: [
    ['GET', '/v1/projects/*/serviceAccounts', 'ListServiceAccounts'],
    ['POST', '/v1/projects/*/serviceAccounts', 'CreateServiceAccount'],
    ['GET', '/v1/projects/*/serviceAccounts/*', 'GetServiceAccount'],
    ['DELETE', '/v1/projects/*/serviceAccounts/*', 'DeleteServiceAccount'],
  ],
  tokens: [
    ['POST', '/v1/projects/-/serviceAccounts/{account}:generateIdToken', 'GenerateIdToken'],
    ['POST', '/v1/projects/-/serviceAccounts/{account}:generateAccessToken', 'GenerateAccessToken'],
  ],
} satisfies Record<string, readonly Row[]>;
type JsonApi = keyof typeof methods;

export const jsonMethods: readonly JsonMethod[] = Object.entries(methods).flatMap(([api, rows]) =>
  rows.map(([verb, template, method]) => ({ api: api as JsonApi, method, verb, template })),
);

const matchers = jsonMethods.map((each) => ({ ...each, match: compileTemplate(each.template) }));

/** The method that a request calls; `path` is as it came, percent-encoded. */
export function jsonMethodOf(verb: string, path: string): JsonMethod | undefined {
  return matchers.find((each) => each.verb === verb && each.match(path) !== undefined);
}
