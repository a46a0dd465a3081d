import type { Client } from 'pg';

/** The role that belongs to the platform, as at Google: nobody else signs in with it. */
export const platformRole = 'cloudsqladmin';

export type Admin = {
  /** A user with Cloud SQL's usual rights; `verifier` is what Postgres keeps of the password. */
  setUser(name: string, verifier: string | undefined): Promise<void>;
  dropUser(name: string): Promise<void>;
  users(): Promise<string[]>;
  createDatabase(database: { name: string; charset?: string; collation?: string }): Promise<void>;
  dropDatabase(name: string): Promise<void>;
  databases(): Promise<{ name: string; charset: string; collation: string }[]>;
};

const superuser = 'cloudsqlsuperuser';

/** The roles that a new Cloud SQL instance has, in one transaction. */
export async function setUp(client: Client, rootVerifier: string | undefined): Promise<void> {
  await client.query('BEGIN');
  await client.query(`CREATE ROLE ${superuser} CREATEDB CREATEROLE`);
  await client.query(`GRANT pg_monitor, pg_signal_backend TO ${superuser} WITH ADMIN OPTION`);
  await client.query(`ALTER DATABASE postgres OWNER TO ${superuser}`);
  await adminOf(client).setUser('postgres', rootVerifier);
  await client.query('COMMIT');
}

export function adminOf(client: Client): Admin {
  const name = (text: string) => client.escapeIdentifier(text);
  return {
    async setUser(user, verifier) {
      const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [user]);
      if (!rowCount)
        await client.query(`CREATE ROLE ${name(user)} LOGIN CREATEDB CREATEROLE IN ROLE ${superuser}`);
      if (verifier !== undefined)
        await client.query(`ALTER ROLE ${name(user)} PASSWORD ${client.escapeLiteral(verifier)}`);
    },
    async dropUser(user) {
      await client.query(`DROP ROLE ${name(user)}`);
    },
    async users() {
      const { rows } = await client.query<{ rolname: string }>(
        'SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> $1 ORDER BY rolname',
        [platformRole],
      );
      return rows.map(({ rolname }) => rolname);
    },
    async createDatabase({ name: database, charset, collation }) {
      const options = [
        `OWNER ${superuser}`,
        'TEMPLATE template0',
        ...(charset ? [`ENCODING ${client.escapeLiteral(charset)}`] : []),
        ...(collation ? [`LOCALE ${client.escapeLiteral(collation)}`] : []),
      ];
      await client.query(`CREATE DATABASE ${name(database)} ${options.join(' ')}`);
    },
    async dropDatabase(database) {
      await client.query(`DROP DATABASE ${name(database)} WITH (FORCE)`);
    },
    async databases() {
      const { rows } = await client.query<{ name: string; charset: string; collation: string }>(
        `SELECT datname AS name, pg_encoding_to_char(encoding) AS charset, datcollate AS collation
         FROM pg_database WHERE NOT datistemplate ORDER BY datname`,
      );
      return rows;
    },
  };
}
