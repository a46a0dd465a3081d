import { parseJson as parse } from '../web/json.ts';
import { StorageError } from './errors.ts';

/** JSON from outside, within the same bounds as everywhere; what is refused is so in Storage's shape. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return parse(bytes);
  } catch (error) {
    throw new StorageError(400, 'parseError', error instanceof Error ? error.message : String(error));
  }
}
