import { writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import { certificateFile } from '../home.ts';
import { selfSigned } from './certificate.ts';

/** The one host that gcloud reads over HTTPS whatever it is told: the logs of builds lie there. */
const storageHost = 'storage.googleapis.com';
const validDays = 365;

/**
 * Answers CONNECT as a proxy does, but goes nowhere: what is asked of Cloud Storage's host is answered here, by a
 * certificate made at this start whose key never leaves the process; every other host is refused.
 */
export function openTunnel(options: {
  home: string;
  storage(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
}): (req: IncomingMessage, socket: Duplex) => void {
  const { key, cert } = selfSigned(storageHost, validDays);
  writeFileSync(certificateFile(options.home), cert);
  const secureContext = createSecureContext({ key, cert });
  const server = http.createServer(async (req, res) => {
    req.url = jsonPath(req);
    if (!req.url || !(await options.storage(req, res).catch(() => false))) res.writeHead(404).end();
  });
  return (req, socket) => {
    socket.on('error', () => socket.destroy());
    if (req.url !== `${storageHost}:443` || req.headers.origin !== undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      return;
    }
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    const secure = new TLSSocket(socket, { isServer: true, secureContext });
    secure.on('error', () => secure.destroy());
    server.emit('connection', secure);
  };
}

/** `GET /BUCKET/OBJECT` of the XML API as the JSON API's download; empty for anything else. */
function jsonPath({ method, url = '' }: IncomingMessage): string {
  const [, bucket, object] = /^\/([^/?]+)\/([^?]+)$/.exec(url) ?? [];
  if (method !== 'GET' || bucket === undefined || object === undefined) return '';
  return `/storage/v1/b/${bucket}/o/${object.replaceAll('/', '%2F')}?alt=media`;
}
