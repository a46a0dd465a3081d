/** How long a caller is ready to wait, and the one signal that ends everything. */
export type Call = {
  signal: AbortSignal;
  /** Milliseconds; each adapter method has a default of its own. */
  timeoutMs?: number;
};

export type CloudErrorKind =
  | 'not-found'
  | 'already-exists'
  | 'conflict'
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'exhausted'
  | 'unavailable'
  | 'unsupported'
  | 'precondition'
  /** A write was sent and its answer was lost: it may or may not have happened. Read again. */
  | 'outcome-unknown'
  | 'deadline'
  | 'aborted'
  | 'internal';

/** Every refusal of a cloud API, normalised; `cause` keeps the client's own error. */
export class CloudError extends Error {
  override readonly name = 'CloudError';
  readonly kind: CloudErrorKind;
  /** For example `run.services.update`. */
  readonly method: string;
  /** The resource name the call was about. */
  readonly resource: string;
  /** What the API itself said. */
  readonly said: string;

  constructor(
    kind: CloudErrorKind,
    about: { method: string; resource: string; said: string },
    options?: { cause?: unknown },
  ) {
    super(`${about.method} ${about.resource}: ${about.said}`, options);
    this.kind = kind;
    this.method = about.method;
    this.resource = about.resource;
    this.said = about.said;
  }
}
