// What the service answers over HTTP: /, /health and /database.
import { log } from './log.js';

const revision = process.env.K_REVISION ?? 'local';

export function answerHttp(app, request, response) {
  const [pathname] = request.url.split('?');
  if (pathname === '/health') return send(response, ...health(app));
  if (pathname === '/database') return database(app, response);
  if (pathname === '/') return send(response, 200, 'text/html; charset=utf-8', page);
  return send(response, 404, 'application/json', JSON.stringify({ error: 'not found' }));
}

function health(app) {
  const components = Object.fromEntries(
    [...app.systems].map(([name, { ok }]) => [
      name.toLowerCase().replaceAll(' ', '_'),
      ok ? 'healthy' : 'failed',
    ]),
  );
  const broken = Object.values(components).includes('failed');
  const status = !app.ready ? 'starting' : broken ? 'unhealthy' : 'healthy';
  const body = { status, service: process.env.K_SERVICE ?? 'chat', revision, components };
  return [status === 'healthy' ? 200 : 503, 'application/json', JSON.stringify(body)];
}

async function database(app, response) {
  try {
    if (!app.store) return send(response, 503, 'application/json', JSON.stringify({ error: 'starting' }));
    send(response, 200, 'application/json', JSON.stringify({ revision, ...(await app.store.describe()) }));
  } catch (error) {
    log('ERROR', `Database: ${error.message}`);
    send(response, 503, 'application/json', JSON.stringify({ error: 'the database does not answer' }));
  }
}

function send(response, status, type, body) {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Chat</title>
<h1>Welcome to Chat</h1>
<p>Revision ${revision}. Say something; the agent tells each step.</p>
<form><input name="message" value="How is the weather?" autofocus><button>Send</button></form>
<pre></pre>
<script type="module">
  const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/ws');
  const out = document.querySelector('pre');
  socket.onmessage = ({ data }) => out.append(data + '\\n');
  document.querySelector('form').onsubmit = (event) => {
    event.preventDefault();
    socket.send(JSON.stringify({ message: event.target.message.value }));
  };
</script>
</html>
`;
