import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { type Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { LocalCloudError } from './errors.ts';

export type SharedPort = { port: number; stop(): Promise<void> };

const firstBytesMs = 10_000;
/** A client that sends a request drop by drop is let go. */
export const httpLimits = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 20_000,
  requestTimeout: 300_000,
  connectionsCheckingInterval: 5_000,
};
const maxConnections = 2000;
const http2Preface = 'PRI';

/** One port on loopback for gRPC (h2c) and HTTP/1.1: the first bytes of a connection tell which it is. */
export async function listen(options: {
  grpc: GrpcServer;
  http: http.RequestListener;
  /** What to do with a CONNECT request's connection. */
  connect(req: http.IncomingMessage, socket: Duplex, head: Buffer): void;
  limits?: Partial<typeof httpLimits>;
  /** Taken, or an error says so. */
  port?: number;
  /** Taken when it is free. */
  preferredPort?: number;
}): Promise<SharedPort> {
  const web = http.createServer({ ...httpLimits, ...options.limits }, options.http);
  // It never listens itself, and without this its timeouts would not begin.
  web.emit('listening');
  web.on('connect', options.connect);
  const injector = options.grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    sniff(socket, (isHttp2) => {
      if (isHttp2) injector.injectConnection(socket);
      else web.emit('connection', socket);
    });
  });
  server.maxConnections = maxConnections;
  const port = await bind(server, options.port, options.preferredPort);
  return {
    port,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      web.close();
      options.grpc.forceShutdown();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function sniff(socket: net.Socket, decide: (isHttp2: boolean) => void): void {
  socket.setTimeout(firstBytesMs, () => socket.destroy());
  let head = Buffer.alloc(0);
  const look = () => {
    const chunk: Buffer | null = socket.read();
    if (!chunk) return;
    head = Buffer.concat([head, chunk]);
    const known = head.toString('latin1', 0, http2Preface.length);
    // Kept aside meanwhile: what is put back at once makes the socket readable again, for ever.
    if (known.length < http2Preface.length && http2Preface.startsWith(known)) return;
    socket.unshift(head);
    socket.off('readable', look);
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    decide(known === http2Preface);
  };
  socket.on('readable', look);
}

async function bind(server: net.Server, port: number | undefined, preferred = 0): Promise<number> {
  try {
    return await listenOn(server, port ?? preferred);
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!taken) throw error;
    if (port === undefined) return listenOn(server, 0);
    throw new LocalCloudError(
      { what: `Port ${port} is taken by another process.`, next: ['Choose another port, or none.'] },
      { cause: error },
    );
  }
}

function listenOn(server: net.Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
