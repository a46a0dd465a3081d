/** Why no instance can take a request; the router turns it into Cloud Run's answer. */
export class AcquireError extends Error {
  override readonly name = 'AcquireError';
  readonly reason: 'unknown-revision' | 'not-started' | 'no-capacity';

  constructor(reason: AcquireError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}
