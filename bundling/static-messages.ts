import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import protobuf from 'protobufjs';
import pbjs from 'protobufjs-cli/pbjs.js';
import type { Plugin } from 'rolldown';
import { apiMethods, type Wanted } from '../src/cloud/api-methods.ts';
import { reachableFrom } from '../src/cloud/reachable.ts';

/** The same that pbjs makes, of far more than what `src/cloud/operations.ts` sends and reads. */
const operationsOfGax = /google-gax\/build\/protos\/operations\.js$/;
const operations: Wanted = { 'google.longrunning.Operations': ['GetOperation', 'WaitOperation'] };

/**
 * Of each API's protos what Sluice's calls reach, as the `Api` that `src/cloud/lean-gax.ts` takes: reading the
 * protos, and making code that encodes and decodes from them, would cost every command a tenth of its own time.
 */
export const staticMessages: Plugin = {
  name: 'static-messages',
  transform: {
    filter: { id: [/@google-cloud\/[\w-]+\/build\/protos\/protos\.json$/, operationsOfGax] },
    async handler(code, id) {
      const made = operationsOfGax.test(id)
        ? messagesOf(reachableFrom(JSON.parse(await readFile(`${id}on`, 'utf8')), operations), 'operations')
        : staticCode(JSON.parse(code), { ...apiMethods.run, ...apiMethods.build, ...apiMethods.logs });
      return { code: await made, moduleType: 'js' };
    },
  },
};

/** A CommonJS module. */
export async function staticCode(json: protobuf.INamespace, wanted: Wanted): Promise<string> {
  const needed = reachableFrom(json, wanted);
  const root = protobuf.Root.fromJSON(needed);
  const services = Object.keys(wanted).filter((name) => root.lookup(name));
  const methods = services.map((name) => `${JSON.stringify(name)}: [${methodsOf(root.lookupService(name))}]`);
  return `${await messagesOf(needed, services.join())}
    module.exports = { methods: { ${methods.join()} }, lookup: ${lookup} };`;
}

/** `.google.protobuf.Empty` in what pbjs makes. */
const lookup = '(name) => name.slice(1).split(".").reduce((at, part) => at?.[part], $root)';

function methodsOf(service: protobuf.Service): string[] {
  return service.methodsArray.map(({ name, requestStream = false, responseStream = false, ...method }) => {
    const { resolvedRequestType: request, resolvedResponseType: response } = method;
    const types = `request: $root${request?.fullName}, response: $root${response?.fullName}`;
    return `{ name: '${name}', requestStream: ${requestStream}, responseStream: ${responseStream}, ${types} }`;
  });
}

const left = ['create', 'verify', 'delimited', 'service', 'comments', 'typeurl'].map(
  (part) => `--no-${part}`,
);
const run = promisify(pbjs.main);

/** `root` tells it from other such modules in one process. */
async function messagesOf(json: protobuf.INamespace, root: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-protos-'));
  try {
    const file = path.join(folder, 'protos.json');
    await writeFile(file, JSON.stringify(json));
    const code = await run(['-t', 'static-module', '-w', 'commonjs', '-r', root, ...left, file]);
    if (code === undefined) throw new Error(`pbjs made nothing of ${root}`);
    return code;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
