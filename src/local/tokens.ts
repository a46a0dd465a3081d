import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { TokenAuthority } from './contracts.ts';

const lifetimeSeconds = 3600;
const claimsSchema = z.object({ aud: z.string(), exp: z.number() });

/** ID tokens as JWTs (HS256) under a key that never leaves the home. `now` is in milliseconds. */
export function openTokens(options: { home: string; now?: () => number }): TokenAuthority {
  const key = openKey(path.join(options.home, 'token.key'));
  const seconds = () => Math.floor((options.now ?? Date.now)() / 1000);
  const sign = (content: string) => createHmac('sha256', key).update(content).digest();

  return {
    mint(audience, email) {
      const iat = seconds();
      const claims = {
        iss: 'https://accounts.google.com',
        aud: audience,
        sub: email,
        email,
        email_verified: true,
      };
      const content = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ ...claims, iat, exp: iat + lifetimeSeconds })}`;
      return `${content}.${sign(content).toString('base64url')}`;
    },
    judge(authorization, audiences) {
      if (!authorization) return 'missing';
      const match = /^Bearer ([\w-]+\.([\w-]+))\.([\w-]+)$/i.exec(authorization);
      const [, content = '', payload = '', signature = ''] = match ?? [];
      const given = Buffer.from(signature, 'base64url');
      const expected = sign(content);
      if (!match || given.length !== expected.length || !timingSafeEqual(given, expected)) return 'invalid';
      const claims = claimsSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
      const opens = claims.success && claims.data.exp > seconds() && audiences.includes(claims.data.aud);
      return opens ? 'opens' : 'invalid';
    },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function openKey(file: string): Buffer {
  if (existsSync(file)) return readFileSync(file);
  const key = randomBytes(32);
  writeFileAtomic.sync(file, key, { mode: 0o600 });
  return key;
}
