import { z } from 'zod';
import { duration, flag, list, map, matching, oneOf, section, text, urlPath, whole } from '../text.ts';
import { secretName, secretVersion, variableName } from '../variables.ts';
import { common, stages } from './common.ts';
import { Latency } from './latency.ts';

const subprotocol = () => matching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}$/, 'a subprotocol such as chat.v1');

// Not a union: its error would show what was found, and a typed-in token must not be shown.
const Token = section({
  variable: variableName.describe('A variable in the environment of whoever runs Sluice.').exactOptional(),
  secret: secretName
    .describe('A secret of Secret Manager, in the project of the environment, by its name.')
    .exactOptional(),
  version: secretVersion.describe('Of the secret: a version number, or latest.').exactOptional(),
}).describe('Where the token is read from, a variable or a secret: a reference, never the token itself.');

const Auth = section({
  as: oneOf(['bearer', 'subprotocol'])
    .describe('bearer: the Authorization header; subprotocol: offered in Sec-WebSocket-Protocol.')
    .default('bearer'),
  token: Token,
  prefix: matching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{0,50}$/, 'text that a subprotocol may hold, such as jwt.')
    .describe('What stands before the token in its subprotocol.')
    .default('jwt.'),
  encoding: oneOf(['plain', 'base64url'])
    .describe('How the token is written into its subprotocol.')
    .default('plain'),
}).describe('How the check signs in.');

const Close = section({
  code: whole(1000, 4999).describe('The close code that must come.').exactOptional(),
  reason: text().describe('Text that the close reason must contain.').exactOptional(),
}).describe('How the service must end the connection.');

const Message = section({
  type: text('the name of a kind of message').describe('The name of its row in reports.'),
  send: z
    .union([z.string(), z.record(z.string(), z.json())], { error: 'a map to send as JSON, or text' })
    .describe('What is sent: a map, as JSON, or text; by default {type: TYPE}.')
    .exactOptional(),
  events: list(text('the name of an event'))
    .describe('The events that must come back, in this order.')
    .default([]),
  others: flag().describe('false: no other event may come.').default(true),
  deadline: duration().describe('How long the whole answer may take.').prefault('10s'),
  latency: Latency.exactOptional(),
  close: Close.exactOptional(),
}).describe('One kind of message and what must come back.');

const Errors = section({
  event: text().describe('The event that carries an error.').default('error'),
  at: text().describe('Dotted field that holds the error; without it, the message itself.').default('error'),
  code: text().describe('Its field with the code.').default('code'),
  component: text().describe('Its field that names the component.').default('component'),
  message: text().describe('Its field with the message.').default('message'),
  components: text()
    .describe('Its field with the health of components: a map by name, or a list.')
    .default('component_details'),
}).describe('The shape of errors in messages; they become the health of components.');

export const WebsocketCheck = section({
  kind: z.literal('websocket').describe('Messages over a WebSocket and the events that must come back.'),
  ...common,
  stages: stages().default(['candidate', 'post']),
  timeout: duration().describe('How long all messages together may take.').prefault('1m'),
  path: urlPath().describe('The path of the WebSocket, beginning with /.'),
  headers: map(z.string(), text('text: put it in quotes'))
    .describe('Headers to send with the handshake.')
    .default({}),
  subprotocols: list(subprotocol()).describe('Subprotocols to offer.').default([]),
  auth: Auth.exactOptional(),
  handshake: duration().describe('How long a handshake may take.').prefault('10s'),
  attempts: whole(1, 20).describe('Tries to connect, with backoff, before a failure counts.').default(3),
  eventField: text().describe('Dotted field of a message that names its event.').default('type'),
  errors: Errors.prefault({}),
  health: urlPath()
    .describe('Asked when a handshake is refused, to tell a refusal from a service that is down.')
    .default('/health'),
  messages: list(Message)
    .describe('Kinds of messages, each on a connection of its own; with none, only the handshake is tried.')
    .default([]),
}).describe('A matrix of messages over a WebSocket.');
