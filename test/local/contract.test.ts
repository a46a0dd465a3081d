import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Client, credentials, status } from '@grpc/grpc-js';
import { fromJSON, type MethodDefinition } from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import { expect, onTestFinished, test } from 'vitest';
import { jsonMethods } from '../../src/local/contract/json-apis.ts';
import { bindingsOf } from '../../src/local/rest/bindings.ts';
import { differences } from './contract-notes.ts';
import { startCloud, tempHome } from './harness.ts';

const require = createRequire(import.meta.url);
const page = new URL('../../docs/local-cloud.md', import.meta.url);
const [begin, end] = ['<!-- contract -->', '<!-- /contract -->'];

type Row = { api: string; method: string; roads: string[]; supported: boolean };

const titles: Readonly<Record<string, string>> = {
  run: 'Cloud Run (Admin v2; Knative and v1)',
  operations: 'Long-running operations',
  build: 'Cloud Build v1',
  logging: 'Cloud Logging v2',
  storage: 'Cloud Storage (JSON API v1)',
  secrets: 'Secret Manager v1',
  sql: 'Cloud SQL Admin',
  artifacts: 'Artifact Registry v1',
  serviceusage: 'Service Usage v1',
  projects: 'Resource Manager v1 and v3',
  iam: 'IAM v1',
  tokens: 'IAM Service Account Credentials v1',
};

/** Services whose methods are told one by one; of the others only that they are refused. */
const apisOfServices: Readonly<Record<string, string>> = {
  'google.cloud.run.v2.Services': 'run',
  'google.cloud.run.v2.Revisions': 'run',
  'google.cloud.run.v2.Builds': 'run',
  'google.longrunning.Operations': 'operations',
  'google.devtools.cloudbuild.v1.CloudBuild': 'build',
  'google.logging.v2.LoggingServiceV2': 'logging',
};

/** Asks a method over the wire whether it is there; an empty request is refused for another reason, or answered. */
function isServed(
  client: Client,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<object, object>,
) {
  return new Promise<boolean>((resolve) => {
    const deadline = Date.now() + 5000;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, { deadline }, (error) =>
      resolve(error?.code !== status.UNIMPLEMENTED || !/does not implement/.test(error.details)),
    );
  });
}

async function protoRows(port: number): Promise<{ rows: Row[]; refused: string[] }> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const rows = new Map<string, Row>();
  const refused: string[] = [];
  for (const name of ['run', 'cloudbuild', 'logging-api']) {
    const protos = require(`@google-cloud/${name}/build/protos/protos.json`);
    const root = protobuf.Root.fromJSON(protos);
    for (const [service, definition] of Object.entries(fromJSON(protos))) {
      if ('format' in definition) continue;
      const api = apisOfServices[service];
      if (!api) refused.push(service);
      const reflected = root.lookupService(service);
      for (const [method, called] of Object.entries(
        definition as Record<string, MethodDefinition<object, object>>,
      )) {
        const streams = called.requestStream || called.responseStream;
        const supported = streams || (await isServed(client, called));
        if (!api) expect([`${service}.${method}`, supported]).toEqual([`${service}.${method}`, false]);
        const resolved = reflected.methods[method]?.resolve();
        if (!api || !(resolved instanceof protobuf.Method)) continue;
        const urls = streams
          ? []
          : bindingsOf(reflected, resolved).map(({ verb, template }) => `${verb} ${shown(template)}`);
        rows.set(`${api} ${method}`, { api, method, roads: ['gRPC', ...urls], supported });
      }
    }
  }
  return { rows: [...rows.values()], refused: [...new Set(refused)] };
}

const shown = (template: string) =>
  template.replaceAll(/\{[\w.]+=([^}]+)\}/g, '$1').replaceAll(/\{[\w.]+\}/g, '*');
const sampled = (template: string) => shown(template).replaceAll('**', 'x').replaceAll('*', 'x');

/** Rows of one method become one, with all its roads. */
function merged(rows: Row[]): Row[] {
  const byMethod = new Map<string, Row>();
  for (const row of rows) {
    const known = byMethod.get(`${row.api} ${row.method}`);
    const roads = [...new Set([...(known?.roads ?? []), ...row.roads])];
    byMethod.set(`${row.api} ${row.method}`, {
      ...row,
      supported: row.supported || known?.supported === true,
      roads,
    });
  }
  return [...byMethod.values()];
}

function tableOf(api: string, rows: Row[]): string[] {
  const lines = rows.map(({ method, roads, supported }) => {
    const note = differences[`${api} ${method}`];
    const verdict = supported ? (note ? `different: ${note}` : 'supported') : 'refused: UNIMPLEMENTED';
    const urls = roads.map((road) => (road === 'gRPC' ? road : `\`${road}\``));
    return `| ${method} | ${urls.join('<br>')} | ${verdict} |`;
  });
  return [`### ${titles[api] ?? api}`, '', '| method | roads | |', '|---|---|---|', ...lines, ''];
}

// `npm run contract` writes it anew.
test('docs/local-cloud.md tells of every method on every road, and the local cloud keeps to it', async () => {
  const { port, jsonRoutes } = await startCloud({ home: tempHome() });
  const { rows: ofProtos, refused } = await protoRows(port);
  const ofJson = jsonMethods.map(({ api, method, verb, template }) => ({
    ...{ api, method, supported: true },
    roads: [`${verb} ${shown(template)}`],
  }));
  const rows = merged([...ofProtos, ...ofJson]);

  const answers = jsonMethods.map(async ({ verb, template }) => {
    const url = `http://127.0.0.1:${port}${sampled(template)}`;
    const response = await fetch(url, { method: verb, redirect: 'manual' });
    return [
      `${verb} ${template}`,
      /is not part of the local cloud|does not implement/.test(await response.text()),
    ];
  });
  expect((await Promise.all(answers)).filter(([, missing]) => missing)).toEqual([]);

  const untold = jsonRoutes.filter(({ method, path }) => {
    if (method === 'ALL') return false;
    const pattern = new RegExp(
      `^${path.replaceAll(/:\w+\{((?:[^{}]|\{[^}]*\})*)\}/g, '$1').replaceAll(/:\w+\??(?=\/|$)/g, '[^/]+')}$`,
    );
    return !jsonMethods.some(({ verb, template }) => verb === method && pattern.test(sampled(template)));
  });
  // A route without a row in src/local/contract/json-apis.ts is told to nobody, and no fault can be in it.
  expect(untold).toEqual([]);
  const known = new Set(rows.map(({ api, method }) => `${api} ${method}`));
  expect(Object.keys(differences).filter((name) => !known.has(name))).toEqual([]);

  const apis = [...new Set([...Object.keys(titles), ...rows.map(({ api }) => api)])];
  const told = [
    begin,
    '',
    ...apis.flatMap((api) =>
      tableOf(
        api,
        rows.filter((row) => row.api === api),
      ),
    ),
    `Refused whole, with UNIMPLEMENTED: ${refused.map((name) => `\`${name}\``).join(', ')}.`,
    '',
    end,
  ].join('\n');
  const text = readFileSync(page, 'utf8');
  const [before = '', rest = ''] = text.split(begin);
  const expected = before + told + (rest.split(end)[1] ?? '');
  if (process.env['UPDATE_CONTRACT'] === '1') writeFileSync(page, expected);
  expect(readFileSync(page, 'utf8')).toBe(expected);
});
