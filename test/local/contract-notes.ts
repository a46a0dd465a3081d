/** Where the local cloud differs from the real one, by API and method; every name must be served. */
export const differences: Readonly<Record<string, string>> = {
  'run CreateService':
    'the image must be in the local image store; VPC access, GPUs, sidecars, gRPC probes, service-level maximum and manual scaling, custom audiences and IAP are refused by field; CPU boost and execution environment have no effect; a secret volume is read when an instance starts; an in-memory volume is on disk, its size not enforced; an ingress other than all answers 404 to everybody; Ready waits for one instance, not for the minimum; a Cloud SQL instance that does not exist shows in the log, not in the deploy',
  'run UpdateService':
    "as CreateService; Knative's PUT is this method too, refuses with 400 where v2 says UNIMPLEMENTED (gcloud would try again), has no operation-id and names no creator",
  'run DeleteService': 'instances get their grace behind the answer',
  'run SetIamPolicy':
    'only allUsers as roles/run.invoker has an effect; any identity token of the local cloud opens a closed service; conditions and audit configs are refused',
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
  'logging WriteLogEntries':
    'no quotas; protoPayload and split are refused; a payload over 256 KiB is cut, not refused',
  'logging ListLogEntries':
    'no quotas; the oldest go beyond 2,000,000 entries or 2 GiB, not after 30 days; a page may end early with a token; SEARCH knows whole words; sample, ip_in_net and other functions are refused by name',
  'logging TailLogEntries': 'gRPC only, as at Google',
  'operations ListOperations': 'the newest 200 finished operations are kept',
  'operations WaitOperation': 'waits five minutes at most',
  'storage objects.insert': 'one storage class; no encryption keys, holds or retention',
  'storage buckets.insert': 'names are unique on this machine; no location has an effect',
  'secrets CreateSecret':
    'names carry the project id, not its number; replication has no effect; expiry, rotation, topics and KMS keys are refused by field; payloads lie in the home folder, readable by its owner only',
  'secrets AccessSecretVersion': 'nobody needs a role',
  'sql instances.insert':
    'a Postgres of this machine, one version whatever is asked of POSTGRES_15 to 18; MySQL, SQL Server, flags, replicas and IAM users are refused by name; tiers, disks, networks, backups and maintenance have no effect; no IP address, no TLS; 20 instances at most, their disk is not bounded',
  'artifacts CreateRepository': 'remembered, and no more: images lie in the local image store',
  'serviceusage GetService': 'what the local cloud serves is enabled, everything else disabled',
  'serviceusage EnableService': 'only what is enabled already',
  'serviceusage BatchEnableServices': 'only what is enabled already',
  'projects GetProject': 'every project that could be is there; its number follows from its name',
  'iam CreateServiceAccount':
    'an account is a name: it has no keys, and a build or revision that names one that is not there runs too',
  'tokens GenerateIdToken': 'signed by the local cloud, which alone accepts it',
  'run ListServices': 'Knative label selectors: =, !=, a and !a',
  'storage objects.rewrite': 'done in one call, whatever the size',
  'storage objects.compose': 'a composed object has an md5Hash',
  'storage objects.list': 'no older and no soft-deleted versions',
  'secrets DestroySecretVersion': 'the bytes leave the disk when the journal is next compacted',
  'secrets ListSecrets': 'filter is refused',
  'sql instances.delete': 'done when answered',
};
