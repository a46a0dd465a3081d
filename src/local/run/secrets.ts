import type { SecretReader, SecretRef } from '../contracts.ts';
import type { Template, Volume } from './schema.ts';

/** A secret's name in a template, `S` or `projects/P/secrets/S`, and the version it asks for. */
export function secretRef(project: string, secret: string, version = 'latest'): SecretRef {
  const [, own, name] = /^projects\/([^/]+)\/secrets\/(.+)$/.exec(secret) ?? [];
  return { project: own ?? project, secret: name ?? secret, version };
}

type SecretVolume = NonNullable<Volume['secret']>;
// Source: the comments of SecretVolumeSource in the API's protos.
const defaultFileMode = 0o444;

/** The files of a secret volume: without items one, named after the secret, with its latest version. */
export function secretFiles(project: string, { secret, items, defaultMode = defaultFileMode }: SecretVolume) {
  const listed = items ?? [{ path: secretRef(project, secret).secret }];
  return listed.map(({ path, version, mode = defaultMode }: NonNullable<SecretVolume['items']>[number]) => ({
    path,
    mode,
    ref: secretRef(project, secret, version),
  }));
}

/** What Cloud Run says of the secrets that a revision cannot read, each at its place; undefined when it can. */
export function unreadableSecrets(
  project: string,
  { containers, volumes = [] }: Template,
  secrets: SecretReader,
): string | undefined {
  const uses = [
    ...(containers[0]?.env ?? []).flatMap(({ valueSource }, index) => {
      const { secret, version } = valueSource?.secretKeyRef ?? {};
      const place = `containers[0].env[${index}].value_from.secret_key_ref.name`;
      return secret ? [{ place, ref: secretRef(project, secret, version) }] : [];
    }),
    ...volumes.flatMap(({ secret }, index) =>
      (secret ? secretFiles(project, secret) : []).map(({ ref }, item) => ({
        place: `volumes[${index}].secret.items[${item}]`,
        ref,
      })),
    ),
  ];
  const refusals = uses.flatMap(({ place, ref }) => {
    const read = secrets.read(ref);
    return 'refused' in read ? [`spec.template.spec.${place}: ${read.refused}`] : [];
  });
  return refusals.length > 0 ? refusals.join('\n') : undefined;
}
