// /ws: a message in, five events out.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { answersWrongly, refusesGuests, swallows } from './faults.js';
import { log } from './log.js';

/** What the service itself signs in with, to try its own socket while it starts. */
const ownToken = randomUUID();

export function openWebSocket(app) {
  const sockets = new WebSocketServer({
    server: app.server,
    path: '/ws',
    maxPayload: 64 * 1024,
    verifyClient: ({ req }, decide) => {
      if (isOwn(req) || !refusesGuests(app)) decide(true);
      else decide(false, 403, 'Sign in first');
    },
  });
  sockets.on('connection', (socket, request) => {
    const user = userOf(request);
    socket.on('error', (error) => log('WARNING', `WebSocket: ${error.message}`));
    socket.on('message', (data) => answer(app, socket, textOf(data), user));
  });
  return {
    async close() {
      for (const socket of sockets.clients) socket.close(1001, 'the service is closing');
      await new Promise((resolve) => sockets.close(resolve));
    },
  };
}

const isOwn = (request) => request.headers.authorization === `Bearer ${ownToken}`;

function userOf(request) {
  if (isOwn(request)) return 'startup';
  // Only where E2E_TEST_ENV is set does the header count: it replaces the sign-in.
  return process.env.E2E_TEST_ENV && request.headers['x-e2e-test'] === 'true' ? 'e2e' : 'guest';
}

async function answer(app, socket, message, user) {
  // What fails for users had not failed when the service tried itself.
  const own = user === 'startup';
  if (!own && answersWrongly(app, socket)) return;
  try {
    for await (const event of app.agent.handle(message, user)) {
      if (own || !swallows(app, event)) socket.send(JSON.stringify(event));
    }
  } catch (error) {
    log('ERROR', `Message not answered: ${error.message}`);
    socket.close(1011, 'internal error');
  }
}

/** `{"message": "…"}` or plain text. */
function textOf(data) {
  const text = data.toString('utf8');
  try {
    return String(JSON.parse(text).message ?? text);
  } catch {
    return text;
  }
}

/** Connects to this very service and collects the events of one message. */
export async function roundTrip(port, message) {
  const headers = { authorization: `Bearer ${ownToken}` };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers, handshakeTimeout: 2000 });
  await once(socket, 'open');
  const events = [];
  const done = new Promise((resolve) => {
    const giveUp = setTimeout(resolve, 2000);
    socket.on('message', (data) => {
      events.push(JSON.parse(data.toString('utf8')));
      if (events.at(-1).type !== 'agent_completed') return;
      clearTimeout(giveUp);
      resolve();
    });
  });
  socket.send(JSON.stringify({ message }));
  await done;
  socket.close();
  return events;
}
