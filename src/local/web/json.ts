import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';

/** Whether a body with this Content-Type may be JSON; one without any may. */
export function isJson(contentType: string | undefined): boolean {
  return contentType === undefined || /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType);
}

/** As deep as protobuf's own parser goes. */
const maxDepth = 100;
const maxValues = 200_000;

/**
 * JSON from outside: UTF-8, and neither so deep nor of so many values that what comes after would choke on it. Of a
 * key that stands twice the last one counts. Throws INVALID_ARGUMENT.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  if (text.trim() === '') return {};
  const excess = excessOf(text);
  if (excess) throw invalid(excess);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('It is not UTF-8.');
  }
}

/** Looked at before anything is built of it. */
function excessOf(text: string): string | undefined {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === ',') values += 1;
    if (depth > maxDepth) return `Message too deep: at most ${maxDepth} levels are read.`;
    if (values > maxValues) return `Too many values: at most ${maxValues} are read.`;
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

function invalid(why: string): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, `Invalid JSON payload received. ${why}`);
}
