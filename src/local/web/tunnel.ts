import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { certificateFile } from '../home.ts';
import { httpLimits } from '../port.ts';
import { selfSigned } from './certificate.ts';

/** The one host that gcloud reads over HTTPS whatever it is told: the logs of builds lie there. */
const storageHost = 'storage.googleapis.com';
const validDays = 365;
const tunnelLimits = { ...httpLimits, handshakeTimeout: 10_000 };

export type Tunnel = {
  /** What to do with a CONNECT request's connection, of which `head` was read already. */
  connect(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
};

/**
 * Answers CONNECT as a proxy does, but goes nowhere: what is asked of Cloud Storage's host is answered here, by a
 * certificate made at this start whose key never leaves the process; every other host is refused.
 */
export function openTunnel(options: {
  home: string;
  storage(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
  limits?: Partial<typeof tunnelLimits>;
}): Tunnel {
  const { key, cert } = selfSigned(storageHost, validDays);
  writeFileSync(certificateFile(options.home), cert);
  const server = https.createServer({ ...tunnelLimits, ...options.limits, key, cert }, async (req, res) => {
    req.url = jsonPath(req);
    if (!req.url || !(await options.storage(req, res).catch(() => false))) res.writeHead(404).end();
  });
  // It never listens itself, and without this its timeouts would not begin.
  server.emit('listening');
  const connect: Tunnel['connect'] = (req, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (req.url !== `${storageHost}:443` || req.headers.origin !== undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      return;
    }
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    // A client need not wait for the answer before its handshake.
    if (head.length > 0) socket.unshift(head);
    server.emit('connection', socket);
  };
  return { connect, close: () => void server.close() };
}

/** `GET /BUCKET/OBJECT` of the XML API as the JSON API's download; empty for anything else. */
function jsonPath({ method, url = '' }: IncomingMessage): string {
  const [, bucket, object] = /^\/([^/?]+)\/([^?]+)$/.exec(url) ?? [];
  if (method !== 'GET' || bucket === undefined || object === undefined) return '';
  return `/storage/v1/b/${bucket}/o/${object.replaceAll('/', '%2F')}?alt=media`;
}
