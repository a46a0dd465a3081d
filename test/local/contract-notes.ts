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
  'run SubmitBuild':
    'a build of the local Cloud Build; functions, base images other than the default, cache images and pools are refused by field',
  'build CreateBuild':
    "steps are processes on this machine, for known builders only, with this machine's own Node.js, Python and shell whatever the tag says; a Dockerfile's base images are its own system, so package managers are refused, owners and users ignored with a word in the log; secrets, volumes, pools, git sources and dynamic substitutions are refused by field; machine types and disks change nothing; default logs lie in PROJECT_cloudbuild or PROJECT_REGION_cloudbuild; two builds run at a time",
  'build ListBuilds':
    'the newest 500 builds; filters by status, tags, images, ids, times and the storage source, others refused by name',
  'build GetDefaultServiceAccount': 'always the one of Compute Engine',
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
  'serviceusage GetService': 'what the local cloud serves is enabled, everything else disabled',
  'serviceusage EnableService': 'only what is enabled already',
  'serviceusage BatchEnableServices': 'only what is enabled already',
  'projects GetProject': 'every project that could be is there; its number follows from its name',
  'iam CreateServiceAccount':
    'an account is a name: it has no keys, and a build or revision that names one that is not there runs too',
  'tokens GenerateIdToken': 'signed by the local cloud, which alone accepts it',
};
