import { randomBytes } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { SecretReader, SecretRef } from '../contracts.ts';
import { RpcError } from '../grpc.ts';
import { crc32c } from '../storage/crc32c.ts';
import { keyOfSecret, type Secret, type SecretsState, type Version } from './state.ts';

/** A secret's settings, as a client may give them. */
export type Settings = Pick<Secret, 'labels' | 'annotations' | 'versionAliases'>;
export type SecretName = { project: string; secret: string };
export type NumberedVersion = { secret: Secret; number: number; version: Version };
type Change = 'ENABLED' | 'DISABLED' | 'DESTROYED';

/** Secret Manager's model. What it is asked to do and cannot, it says with Google's error. */
export type SecretStore = SecretReader & {
  create(name: SecretName, replication: Secret['replication'], settings: Settings): Promise<Secret>;
  list(project: string): Secret[];
  get(name: SecretName): Secret;
  /** Replaces the settings that are given. */
  update(name: SecretName, settings: Settings, etag: string | undefined): Promise<Secret>;
  remove(name: SecretName, etag: string | undefined): Promise<void>;
  addVersion(name: SecretName, data: Buffer, checksum: string | undefined): Promise<NumberedVersion>;
  /** Newest first. */
  versions(name: SecretName): NumberedVersion[];
  version(ref: SecretRef): NumberedVersion;
  /** Throws for what cannot be accessed. */
  access(ref: SecretRef): NumberedVersion & { data: Buffer };
  change(ref: SecretRef, to: Change, etag: string | undefined): Promise<NumberedVersion>;
};

/** Source: cloud.google.com/secret-manager/quotas. */
const maxPayloadBytes = 64 * 1024;
const namePattern = /^[a-zA-Z0-9_-]{1,255}$/;

export function openSecretStore(secrets: SecretsState): SecretStore {
  const find = ({ project, secret }: SecretName) => secrets.get(keyOfSecret({ project, id: secret }));

  function get(name: SecretName): Secret {
    const found = find(name);
    if (!found) throw new RpcError(status.NOT_FOUND, `Secret [${formatSecret(name)}] not found.`);
    return found;
  }

  /** By number, or by a name that stands for one: `latest` is the last one added, whatever its state. */
  function lookUp(secret: Secret, version: string): NumberedVersion | undefined {
    const named = version === 'latest' ? secret.versions.length : secret.versionAliases?.[version];
    const number = Number(named ?? (/^[1-9]\d{0,8}$/.test(version) ? version : Number.NaN));
    const found = secret.versions[number - 1];
    return found && { secret, number, version: found };
  }

  function version(ref: SecretRef): NumberedVersion {
    const found = lookUp(get(ref), ref.version);
    if (!found) throw new RpcError(status.NOT_FOUND, `Secret Version [${formatVersion(ref)}] not found.`);
    return found;
  }

  function access(ref: SecretRef): NumberedVersion & { data: Buffer } {
    const secret = find(ref);
    if (!secret || secret.versions.length === 0) {
      const message = `Secret [${formatSecret(ref)}] not found or has no versions.`;
      throw new RpcError(status.NOT_FOUND, message);
    }
    const found = version(ref);
    const { state: is, data } = found.version;
    if (is !== 'ENABLED' || data === undefined) {
      const name = formatVersion({ ...ref, version: String(found.number) });
      throw new RpcError(status.FAILED_PRECONDITION, `Secret Version [${name}] is in ${is} state.`);
    }
    return { ...found, data: Buffer.from(data, 'base64') };
  }

  return {
    get,
    version,
    access,
    list: (project) => [...secrets.values()].filter((each) => each.project === project),

    async create(name, replication, settings) {
      if (!namePattern.test(name.secret)) {
        const message = `The provided Secret ID [${name.secret}] does not match the expected format [[a-zA-Z_0-9]+]`;
        throw new RpcError(status.INVALID_ARGUMENT, message);
      }
      if (find(name)) {
        throw new RpcError(status.ALREADY_EXISTS, `Secret [${formatSecret(name)}] already exists.`);
      }
      const { project, secret: id } = name;
      const secret = {
        project,
        id,
        createTime: now(),
        etag: newEtag(),
        replication,
        ...settings,
        versions: [],
      };
      await secrets.put(secret);
      return secret;
    },

    async update(name, settings, etag) {
      const secret = get(name);
      checkEtag(formatSecret(name), etag, secret);
      const updated = { ...secret, ...settings, etag: newEtag() };
      await secrets.put(updated);
      return updated;
    },

    async remove(name, etag) {
      const secret = get(name);
      checkEtag(formatSecret(name), etag, secret);
      await secrets.delete(keyOfSecret(secret));
    },

    async addVersion(name, data, checksum) {
      const secret = get(name);
      checkPayload(data, checksum);
      const version: Version = {
        createTime: now(),
        state: 'ENABLED',
        data: data.toString('base64'),
        checked: checksum !== undefined,
        etag: newEtag(),
      };
      const versions = [...secret.versions, version];
      const updated = { ...secret, versions };
      await secrets.put(updated);
      return { secret: updated, number: versions.length, version };
    },

    versions(name) {
      const secret = get(name);
      return secret.versions.map((each, index) => ({ secret, number: index + 1, version: each })).reverse();
    },

    async change(ref, to, etag) {
      const found = version(ref);
      checkEtag(formatVersion(ref), etag, found.version);
      if (found.version.state === 'DESTROYED') {
        throw new RpcError(status.FAILED_PRECONDITION, 'SecretVersion.state is already DESTROYED.');
      }
      const { data, ...rest } = found.version;
      const changed: Version = {
        ...rest,
        ...(to === 'DESTROYED' ? { destroyTime: now() } : data !== undefined && { data }),
        state: to,
        etag: newEtag(),
      };
      const secret = { ...found.secret, versions: found.secret.versions.with(found.number - 1, changed) };
      await secrets.put(secret);
      return { ...found, secret, version: changed };
    },

    read(ref) {
      try {
        return { data: access(ref).data };
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        const missing = error.code === status.NOT_FOUND;
        // Cloud Run's own words for the one, Secret Manager's for the other.
        return { refused: missing ? `Secret ${formatVersion(ref)} was not found` : error.details };
      }
    },
  };
}

export function formatSecret({ project, secret }: SecretName): string {
  return `projects/${project}/secrets/${secret}`;
}

export function formatVersion(ref: SecretRef): string {
  return `${formatSecret(ref)}/versions/${ref.version}`;
}

function checkPayload(data: Buffer, checksum: string | undefined): void {
  if (data.length === 0) throw new RpcError(status.INVALID_ARGUMENT, 'Secret Payload cannot be empty.');
  if (data.length > maxPayloadBytes) {
    const message = `The secret payload has ${data.length} bytes; it cannot be larger than ${maxPayloadBytes}.`;
    throw new RpcError(status.INVALID_ARGUMENT, message);
  }
  if (checksum !== undefined && checksum !== String(crc32c(data))) {
    throw new RpcError(
      status.INVALID_ARGUMENT,
      "payload.data_crc32c: not the checksum of the payload's data.",
    );
  }
}

function checkEtag(name: string, etag: string | undefined, current: { etag: string }): void {
  if (!etag || etag === current.etag) return;
  throw new RpcError(status.ABORTED, `The etag that was given is not the current one of [${name}].`);
}

function newEtag(): string {
  return `"${randomBytes(7).toString('hex')}"`;
}

function now(): string {
  return new Date().toISOString();
}
