import { mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream';
import type { CloudSqlAttachment } from '../contracts.ts';
import type { Instances } from './instances.ts';
import { parseConnectionName } from './names.ts';

/** Cloud Run's quota for an instance of a service and a Cloud SQL instance. */
const maxConnections = 100;
/** A service that tries again without a pause is not told each time. */
const quietMs = 100;

const guides = ['mysql', 'postgres', 'sqlserver'].map(
  (engine) => `https://cloud.google.com/sql/docs/${engine}/connect-run`,
);
const preface = `Cloud SQL connection failed. Please see ${guides.slice(0, -1).join(', ')}, or ${guides.at(-1)} for additional details:`;

/**
 * Makes a socket for each Cloud SQL instance that a service names, as Cloud Run's own proxy does: it is there whatever
 * becomes of the instance, and a connection that cannot be made is closed, with a line in the service's log. `folder`
 * is the attachment's own, and short: a socket is bound by a path of at most 107 bytes.
 */
export async function attach(
  instances: Instances,
  folder: string,
  names: readonly string[],
  say: (line: string) => void,
): Promise<CloudSqlAttachment> {
  const opened = await Promise.all(
    names.map(async (name, index) => {
      const own = path.join(folder, String(index));
      await mkdir(own, { recursive: true });
      return { name, own, server: await listen(instances, name, path.join(own, '.s.PGSQL.5432'), say) };
    }),
  );
  return {
    folders: Object.fromEntries(opened.map(({ name, own }) => [name, own])),
    async close() {
      for (const { server } of opened) server.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listen(instances: Instances, name: string, file: string, say: (line: string) => void) {
  const target = parseConnectionName(name);
  const open = new Set<Socket>();
  let told = Number.NEGATIVE_INFINITY;
  const tell = (line: string) => {
    if (performance.now() - told < quietMs) return;
    told = performance.now();
    say(line);
  };

  const join = async (client: Socket) => {
    open.add(client);
    client.once('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    try {
      const upstream = connect(await instances.connect(target));
      pipeline(client, upstream, client, () => {
        client.destroy();
        upstream.destroy();
      });
    } catch (error) {
      tell(`${preface} ${error instanceof Error ? error.message : String(error)}`);
      client.destroy();
    }
  };

  const server: Server = createServer((client) => void join(client));
  server.maxConnections = maxConnections;
  server.on('drop', () => tell(`Exceeded maximum of ${maxConnections} connections per instance for ${name}`));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(file, resolve));
  return {
    end() {
      server.close();
      for (const client of open) client.destroy();
    },
  };
}
