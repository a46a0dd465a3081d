// A stand-in for Redis: PING, SET and GET of its protocol over a loopback socket, and a client for them.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

export async function startRedis() {
  const values = new Map();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).on('line', (line) => socket.write(answer(values, line)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: server.address().port, close: () => new Promise((resolve) => server.close(resolve)) };
}

function answer(values, line) {
  const [command, key, ...value] = line.split(' ');
  if (command === 'PING') return '+PONG\r\n';
  if (command === 'SET') return values.set(key, value.join(' ')) && '+OK\r\n';
  if (command === 'GET') return values.has(key) ? `+${values.get(key)}\r\n` : '$-1\r\n';
  return '-ERR unknown command\r\n';
}

export async function connectRedis(port) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const waiting = [];
  createInterface({ input: socket }).on('line', (line) => waiting.shift()?.(line));
  const ask = (line) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      socket.write(`${line}\r\n`);
    });
  return {
    set: (key, value) => ask(`SET ${key} ${value}`),
    async get(key) {
      const line = await ask(`GET ${key}`);
      return line.startsWith('+') ? line.slice(1) : undefined;
    },
    close: () => socket.destroy(),
  };
}
