import type { Secret } from '../../secret.ts';
import type { BuildPort } from './build.ts';
import type { Call } from './call.ts';
import type { InventoryPort } from './inventory.ts';
import type { LogsPort } from './logs.ts';
import type { ProvisionPort } from './provision.ts';
import type { RegistryPort } from './registry.ts';
import type { RunPort } from './run.ts';
import type { SecretsPort } from './secrets.ts';
import type { StoragePort } from './storage.ts';

export * from './build.ts';
export * from './call.ts';
export * from './inventory.ts';
export * from './logs.ts';
export * from './provision.ts';
export * from './registry.ts';
export * from './run.ts';
export * from './secrets.ts';
export * from './storage.ts';

export type IdentityPort = {
  /** Who is acting, as the credentials tell; '' when they do not. */
  whoami(call: Call): Promise<string>;
  /** An ID token that a private service with this URL accepts. */
  idToken(audience: string, call: Call): Promise<Secret>;
};

/** All that Sluice knows of a cloud. The same adapters speak to Google and to the local cloud. */
export type Cloud = {
  kind: 'google' | 'local';
  run: RunPort;
  build: BuildPort;
  logs: LogsPort;
  storage: StoragePort;
  identity: IdentityPort;
  secrets: SecretsPort;
  /** Loaded when they are asked for the first time: most releases never do. */
  inventory(): Promise<InventoryPort>;
  registry(): Promise<RegistryPort>;
  /** The local cloud's alone. */
  provision?: ProvisionPort;
  /** Loads the clients of these parts in the background, while something else is waited for. */
  warm(...parts: CloudPart[]): void;
  close(): Promise<void>;
};

type CloudPart = 'run' | 'build' | 'logs' | 'storage';
