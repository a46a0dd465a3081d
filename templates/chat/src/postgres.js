// The same table in PostgreSQL, through the socket of the Cloud SQL instance that is attached.
import pg from 'pg';

/** `host` is a folder: /cloudsql/PROJECT:REGION:INSTANCE. */
export async function openPostgres({ host, user, password, database }) {
  const pool = new pg.Pool({ host, user, password, database, max: 5, connectionTimeoutMillis: 5000 });
  // A connection that breaks while nobody uses it is replaced at the next query.
  pool.on('error', () => {});
  const ask = async (sql, values) => (await pool.query(sql, values)).rows[0];
  await ask(
    'CREATE TABLE IF NOT EXISTS messages (at serial PRIMARY KEY, id text NOT NULL, row jsonb NOT NULL)',
  );
  await ask('CREATE INDEX IF NOT EXISTS messages_by_id ON messages (id)');
  return {
    async insert(row) {
      await ask('INSERT INTO messages (id, row) VALUES ($1, $2)', [row.id, row]);
    },
    /** The newest row with this id. */
    async find(id) {
      return (await ask('SELECT row FROM messages WHERE id = $1 ORDER BY at DESC LIMIT 1', [id]))?.row;
    },
    /** Who answers, asked in a session just now. */
    async describe() {
      const session = `SELECT current_user AS user, current_database() AS database,
        split_part(current_setting('server_version'), ' ', 1) AS version`;
      return { engine: 'postgres', socket: host, ...(await ask(session)) };
    },
    close: () => pool.end(),
  };
}
