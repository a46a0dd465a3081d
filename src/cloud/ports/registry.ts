import type { Call } from './call.ts';

/** What a copy came to; `bytes` were sent, the rest was there already or was mounted. */
export type Copied = { blobs: number; sent: number; bytes: number };

export type RegistryPort = {
  /** Copies an image, its manifest byte for byte: `from` is `REPOSITORY@sha256:…`, `to` a repository without tag. */
  copy(image: { from: string; to: string }, call: Call): Promise<Copied>;
};
