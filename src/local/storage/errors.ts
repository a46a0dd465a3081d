/** A refusal in the JSON API's shape. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  /** The HTTP status. */
  readonly code: number;
  readonly reason: string;
  /** Which header or parameter the refusal is about. */
  readonly about: { locationType?: string; location?: string };

  constructor(code: number, reason: string, message: string, about: StorageError['about'] = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.about = about;
  }

  toJSON(): object {
    const { code, message, reason, about } = this;
    return { error: { code, message, errors: [{ message, domain: 'global', reason, ...about }] } };
  }
}

export const badRequest = (message: string) => new StorageError(400, 'invalid', message);

export const noSuchBucket = () => new StorageError(404, 'notFound', 'The specified bucket does not exist.');

export const noSuchObject = (bucket: string, object: string) =>
  new StorageError(404, 'notFound', `No such object: ${bucket}/${object}`);

export const preconditionFailed = () =>
  new StorageError(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.', {
    locationType: 'header',
    location: 'If-Match',
  });

export const notModified = () => new StorageError(304, 'notModified', 'Not Modified');

export const tooLarge = (limit: number) =>
  new StorageError(413, 'uploadTooLarge', `The local cloud takes objects of at most ${limit} bytes.`);
