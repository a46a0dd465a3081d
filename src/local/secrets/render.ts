import { crc32c } from '../storage/crc32c.ts';
import type { Secret } from './state.ts';
import { formatSecret, formatVersion, type NumberedVersion } from './store.ts';

/** `Secret` of the API. Google shows the project's number in names; here it has none, so its ID stands there. */
export function renderSecret(secret: Secret): object {
  const { project, id, createTime, etag, replication, labels, annotations, versionAliases } = secret;
  return {
    name: formatSecret({ project, secret: id }),
    createTime,
    etag,
    replication,
    ...(isFilled(labels) && { labels }),
    ...(isFilled(annotations) && { annotations }),
    ...(isFilled(versionAliases) && { versionAliases }),
  };
}

/** `SecretVersion` of the API. */
export function renderVersion(numbered: NumberedVersion): object {
  const { createTime, destroyTime, state, etag, checked } = numbered.version;
  return {
    name: nameOf(numbered),
    createTime,
    ...(destroyTime && { destroyTime }),
    state,
    replicationStatus: replicationStatus(numbered.secret),
    etag,
    ...(checked && { clientSpecifiedPayloadChecksum: true }),
  };
}

/** `AccessSecretVersionResponse` of the API. */
export function renderAccess(accessed: NumberedVersion & { data: Buffer }): object {
  const { data } = accessed;
  const payload = { data: data.toString('base64'), dataCrc32c: String(crc32c(data)) };
  return { name: nameOf(accessed), payload };
}

function nameOf({ secret, number }: NumberedVersion): string {
  return formatVersion({ project: secret.project, secret: secret.id, version: String(number) });
}

function replicationStatus({ replication }: Secret): object {
  if ('automatic' in replication) return { automatic: {} };
  const replicas = replication.userManaged.replicas.map(({ location }) => ({ location }));
  return { userManaged: { replicas } };
}

function isFilled(map: Record<string, string> | undefined): boolean {
  return map !== undefined && Object.keys(map).length > 0;
}
