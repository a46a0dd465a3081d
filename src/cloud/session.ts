import type { StorageOptions } from '@google-cloud/storage';
import type { ClientOptions } from 'google-gax';
import type { Waiting } from './waiting.ts';

/** What all adapters of one connection share. The options are made at first use, with the libraries they need. */
export type Session = {
  project: string;
  waiting: Waiting;
  /** Address and credentials of every gRPC client. */
  grpcOptions(): Promise<ClientOptions>;
  storageOptions(): Promise<StorageOptions>;
};

/** An adapter's part in the connection beside its port. */
export type Adapter<Port> = {
  port: Port;
  /** Loads the client, so that its first call need not. */
  warm(): Promise<unknown>;
  close(): Promise<void>;
};

type GeneratedClient = { initialize(): Promise<unknown>; close(): Promise<void> };

/** A client that is made at its first use; closing one that was never used loads nothing. */
export function lazyClient<Client extends GeneratedClient>(
  make: () => Promise<Client>,
): { client: () => Promise<Client>; close: () => Promise<void> } {
  let opened: Promise<Client> | undefined;
  return {
    client: () => {
      opened ??= make().then(initialised);
      return opened;
    },
    close: async () => {
      const client = await opened?.catch(() => undefined);
      await client?.close();
    },
  };
}

/** Options for the clients of one API: they share a connection, and the handshake that it begins with. */
export async function onOneChannel() {
  const { grpc } = await import('google-gax');
  let channel: InstanceType<typeof grpc.Channel> | undefined;
  const share = (...made: ConstructorParameters<typeof grpc.Channel>) => {
    channel ??= new grpc.Channel(...made);
    return channel;
  };
  return { 'grpc.channelFactoryOverride': share };
}

/**
 * Makes a generated client ready here, inside the caller's try: one that fails to initialise within a call ends the
 * process by an unhandled rejection.
 */
async function initialised<Client extends GeneratedClient>(client: Client): Promise<Client> {
  // GOOGLE_SDK_NODE_LOGGING would print whole requests, with the values of variables.
  const { loggingUtils } = await import('google-gax');
  loggingUtils.setBackend(null);
  await client.initialize();
  return client;
}
