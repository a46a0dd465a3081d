import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

const iterations = 4096;

/**
 * What Postgres keeps of a password, and takes in its place: so the password itself is in no file, statement or log.
 * Source: RFC 5803 and PostgreSQL's `pg_authid.rolpassword`.
 */
export function scramVerifier(password: string, salt = randomBytes(16)): string {
  // Postgres prepares passwords by SASLprep, of which NFKC is what changes letters.
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const serverKey = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
