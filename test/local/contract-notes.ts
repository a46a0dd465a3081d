/** Where the local cloud differs from the real one, by API and method; every name must be served. */
export const differences: Readonly<Record<string, string>> = {
  'run CreateService':
    'the image must be one that the local Cloud Build made; VPC access, GPUs and sidecars are refused by field',
  'run UpdateService': "as CreateService; Knative's PUT is this method too",
  'run DeleteService': 'instances get their grace behind the answer',
  'run SetIamPolicy': 'only who may invoke a service has an effect; nobody needs a role to call an API',
  'run TestIamPermissions': 'every permission that is asked for is granted',
  'run ListLocations': 'a fixed list',
  'run ListRoutes': 'a view of the service; a Route is no resource of its own',
  'run ListConfigurations': 'a view of the service; a Configuration is no resource of its own',
  'build CreateBuild':
    'steps are processes on this machine, for known builders only; machine types and pools change nothing',
  'build CancelBuild': 'processes are killed at once',
  'logging WriteLogEntries': 'no quotas',
  'logging ListLogEntries': 'no quotas; the oldest entries go when the store is full, not after 30 days',
  'logging TailLogEntries': 'gRPC only, as at Google',
  'operations ListOperations': 'the newest 200 finished operations are kept',
  'operations WaitOperation': 'waits five minutes at most',
  'storage objects.insert': 'one storage class; no encryption keys, holds or retention',
  'storage buckets.insert': 'names are unique on this machine; no location has an effect',
  'secrets CreateSecret':
    'replication is stored and has no effect; payloads lie in the home folder, readable by its owner only',
  'secrets AccessSecretVersion': 'nobody needs a role',
  'sql instances.insert': 'a Postgres on this machine; tiers, disks and networks have no effect',
  'artifacts CreateRepository': 'remembered, and no more: images lie in the local image store',
  'serviceusage EnableService': 'every API is enabled from the start',
  'serviceusage BatchEnableServices': 'every API is enabled from the start',
  'projects GetProject': 'every project exists',
  'iam CreateServiceAccount': 'an account is a name: it holds no roles and no keys',
  'tokens GenerateIdToken': 'signed by the local cloud, which alone accepts it',
};
