import type { Secret } from '../../secret.ts';
import type { Call } from './call.ts';
import type { SecretRef } from './run.ts';

export type SecretsPort = {
  /** The value of one version. `unsupported` where the cloud has no secrets. */
  access(project: string, ref: SecretRef, call: Call): Promise<Secret>;
};
