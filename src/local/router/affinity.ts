import type { IncomingMessage } from 'node:http';
import { z } from 'zod';

/** Which instance of which revision answered a client. */
export type Session = { revision: string; instance: string };

/** The name of Cloud Run's own cookie. What it holds at Google nobody but Google reads. */
const cookieName = 'GAESA';
const lifetimeMs = 30 * 24 * 3600 * 1000;
const sessionSchema = z.tuple([z.string().max(63), z.string().max(200)]);

/** The session that a request belongs to; undefined for none, or for a cookie that is not this router's. */
export function readSession(cookies: string | undefined): Session | undefined {
  const [, text = ''] =
    new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]{1,512})(?:;|$)`).exec(cookies ?? '') ?? [];
  try {
    const [revision, instance] = sessionSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return { revision, instance };
  } catch {
    return undefined;
  }
}

/** The `Set-Cookie` that keeps a client at an instance. */
export function sessionCookie({ revision, instance }: Session, now: Date): string {
  const value = Buffer.from(JSON.stringify([revision, instance])).toString('base64url');
  return `${cookieName}=${value}; expires=${new Date(now.getTime() + lifetimeMs).toUTCString()}; path=/`;
}

/** Adds it to an instance's answer, beside the cookies of the application. */
export function addCookie(incoming: IncomingMessage, cookie: string): void {
  incoming.headers['set-cookie'] = [...(incoming.headers['set-cookie'] ?? []), cookie];
}
