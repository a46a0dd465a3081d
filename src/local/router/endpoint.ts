import http from 'node:http';
import { Socket } from 'node:net';
import { portCandidates, urlPorts } from '../runtime/loopback-port.ts';
import type { Target } from './gateway.ts';
import type { openHttpForwarder } from './http.ts';
import type { openWebSocketForwarder } from './websocket.ts';

export type Forwarders = {
  http: ReturnType<typeof openHttpForwarder>;
  webSocket: ReturnType<typeof openWebSocketForwarder>;
};

/** One URL: a listener on loopback and what it leads to. */
export type Endpoint = {
  port: number;
  uri: string;
  lead(target: Target): void;
  /** Takes no more connections; resolves when the running ones have finished. */
  retire(): Promise<void>;
  /** Ends all connections. */
  close(): Promise<void>;
};

// Longer than any client keeps an idle connection, so that it is never closed under a client's hands.
const keepAliveMs = 620_000;

/** Listens on the wanted port, or on another when that is taken. */
export async function openEndpoint(forwarders: Forwarders, wanted: number | undefined): Promise<Endpoint> {
  let target: Target | undefined;
  const upgraded = new Set<Socket>();
  const server = http.createServer({
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    shouldUpgradeCallback: ({ method, headers }) =>
      method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket',
  });
  server.on('request', (request, response) => {
    // What is thrown is the local cloud's own fault: this client loses its connection, the others nothing.
    if (target) forwarders.http.forward(target, request, response).catch(() => response.destroy());
    else response.writeHead(404, { connection: 'close' }).end();
  });
  server.on('upgrade', (request, socket, head) => {
    if (!target || !(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    forwarders.webSocket.forward(target, request, socket, head).catch(() => socket.destroy());
  });
  const port = await listen(server, wanted);
  const ended = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    port,
    uri: `http://127.0.0.1:${port}`,
    lead(next) {
      target = next;
    },
    retire() {
      target = undefined;
      server.close();
      return ended;
    },
    close() {
      target = undefined;
      server.close();
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      return ended;
    },
  };
}

async function listen(server: http.Server, wanted: number | undefined): Promise<number> {
  const candidates = [...(wanted === undefined ? [] : [wanted]), ...portCandidates(urlPorts)];
  for (const port of candidates) {
    if (await listens(server, port)) return port;
  }
  throw new Error(`no free port between ${urlPorts.lowest} and ${urlPorts.highest}`);
}

function listens(server: http.Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    };
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed);
      resolve(true);
    });
  });
}
