import { z } from 'zod';

/** `bytes` in the JSON of protobuf: base64 of either alphabet, padded or not; gcloud sends the URL's, padded. */
export const bytesSchema = z
  .string()
  .regex(/^[A-Za-z0-9+/_-]*={0,2}$/, 'is not base64')
  .transform((text) => Buffer.from(text, 'base64'));
