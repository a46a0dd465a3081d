import { connectLocal } from '../../src/cloud/connect.ts';
import type { Cloud, LiveService, RegistryPort } from '../../src/cloud/ports/index.ts';
import type { EnvironmentSpec } from '../../src/config/environment.ts';
import type { GateSpec } from '../../src/config/gate-spec.ts';
import type { Git } from '../../src/git.ts';
import { folderStore } from '../../src/ledger/folder-store.ts';
import { openLocks } from '../../src/ledger/lock.ts';
import { openStatements, type Statements } from '../../src/ledger/statements.ts';
import type { DurableEvent, ReleaseEvent, Stamped } from '../../src/release/events.ts';
import type { GateDeps, GateRequest } from '../../src/release/gate-facts.ts';
import { judgeGate, type PromoteDeps, promote } from '../../src/release/promote.ts';
import { answer, call, type Outcome, type Stand, type Subject, type TargetPatch } from './kit.ts';

const source = 'stage-project';
const target = 'prod-project';

/** A staging and a production of one service, in two projects, with one ledger. */
export type Road = {
  staging: Subject;
  statements: Statements;
  promote(attempt?: PromoteTry): Promise<Outcome>;
  judge(attempt?: PromoteTry): ReturnType<typeof judgeGate>;
  production: { live(): Promise<LiveService | undefined>; serves(): Promise<string | number> };
};

type PromoteTry = {
  patch?: TargetPatch;
  /** What differs of the source's target, e.g. a checklist that has grown. */
  from?: TargetPatch;
  gate?: Partial<GateSpec>;
  e2eNames?: EnvironmentSpec['e2eNames'];
  git?: Partial<Git>;
  asked?: Partial<GateRequest['asked']>;
  now?: () => number;
  who?: string;
  on?: (event: ReleaseEvent) => void;
  /** Done before the source's service is read for the nth time. */
  beforeLook?: (look: number) => Promise<void>;
  /** Stands for Artifact Registry, which the local cloud lacks. */
  registry?: RegistryPort;
};

const gate: GateSpec = { maxEvidenceAgeSeconds: 3600, approvals: 0, selfApproval: false, freeze: [] };
const noGit: Git = {
  ask: async () => null,
  status: async () => ({ commit: null, dirty: false }),
  isAncestor: async () => null,
  commitsBetween: async () => [],
};

/** The two clouds of a stand: each project is another connection. */
export async function openRoads(stand: Stand) {
  const connect = (project: string) => connectLocal({ port: stand.cloud.port, project });
  const [from, to] = await Promise.all([connect(source), connect(target)]);
  return {
    road: (service: string, patch: TargetPatch = {}) => openRoad(stand, { from, to }, service, patch),
    /** In production's Secret Manager. */
    async keepSecret(name: string, value: string) {
      const secrets = `http://127.0.0.1:${stand.cloud.port}/v1/projects/${target}/secrets`;
      const headers = { 'content-type': 'application/json' };
      const post = (url: string, body: object) =>
        fetch(url, { method: 'POST', body: JSON.stringify(body), headers });
      await post(`${secrets}?secretId=${name}`, { replication: { automatic: {} } });
      await post(`${secrets}/${name}:addVersion`, {
        payload: { data: Buffer.from(value).toString('base64') },
      });
    },
    /** In production's project. */
    async keepAccount(accountId: string) {
      const url = `http://127.0.0.1:${stand.cloud.port}/v1/projects/${target}/serviceAccounts`;
      const headers = { 'content-type': 'application/json' };
      await fetch(url, { method: 'POST', headers, body: JSON.stringify({ accountId }) });
    },
    close: async () => {
      await Promise.all([from.close(), to.close()]);
    },
  };
}

function openRoad(
  stand: Stand,
  clouds: { from: Cloud; to: Cloud },
  service: string,
  patch: TargetPatch,
): Road {
  const place = (project: string) => ({ project, region: 'us-central1', service });
  const staging = stand.subject(service, { ...patch, ref: place(source) });
  const store = folderStore(staging.ledgerFolder);
  const statements = openStatements(store);
  const locks = openLocks(store, { now: () => new Date(), host: 'here', pid: process.pid });
  const command = 'sluice promote staging production';

  const given = (attempt: PromoteTry) => {
    const { patch: over = {}, from = {}, e2eNames = { env: new Set(), headers: new Set() } } = attempt;
    const production = stand.subject(service, {
      ...{ ...patch, ...over, environment: 'production', ref: place(target) },
    }).target;
    const changed = stand.subject(service, { ...patch, ...from, ref: place(source) }).target;
    const environment = {
      name: 'production',
      gate: { ...gate, ...attempt.gate },
      image: attempt.registry ? 'copy' : 'reference',
      e2eNames,
    } as const;
    const { registry } = attempt;
    const cloud = registry ? { ...clouds.to, registry: async () => registry } : clouds.to;
    const deps: GateDeps & { cloud: Cloud } = {
      cloud,
      source: { targets: [changed], cloud: looked(clouds.from, attempt.beforeLook) },
      target: { targets: [production], cloud, environment },
      ...{ ledger: staging.ledger, statements, git: { ...noGit, ...attempt.git } },
      ...{ signal: new AbortController().signal, now: attempt.now ?? Date.now },
    };
    const request: GateRequest = {
      ...{ from: 'staging', to: 'production', command, takeOverTraffic: false },
      type: (words) => `sluice ${words}`,
      asked: { override: null, allowOlder: false, who: 'eve@example.com', ...attempt.asked },
    };
    return { deps, request };
  };

  const readProduction = () => clouds.to.run.readService(place(target), call);
  return {
    staging,
    statements,
    judge: (attempt = {}) => {
      const { deps, request } = given(attempt);
      return judgeGate(request, deps);
    },
    async promote(attempt = {}) {
      const { deps, request } = given(attempt);
      const events: Stamped[] = [];
      const id = staging.ledger.newId('production');
      const more: PromoteDeps = {
        ...deps,
        ...{ locks, release: id, version: '0.0.0' },
        actor: { who: attempt.who ?? 'eve@example.com', account: '', commit: null, dirty: false },
        listeners: [
          (event) => {
            events.push(event);
            attempt.on?.(event.event);
          },
        ],
        track: (promise) => promise,
        meanwhile: () => undefined,
      };
      const state = await promote(request, more);
      const record = await staging.ledger.read(id);
      const own = state.services.get(service);
      if (!record || !own) throw new Error(`release ${id} left no record of ${service}`);
      return {
        ...{ id, state, events, record, service: own },
        exitCode: state.finished?.exitCode,
        rolledBack: state.finished?.rolledBack,
        verdict: state.finished?.verdict.decision,
        told: JSON.stringify([own.finished?.diagnosis, own.preflight]),
      };
    },
    production: {
      live: readProduction,
      async serves() {
        const live = await readProduction();
        return live ? answer(live.uri) : 0;
      },
    },
  };
}

/** The same cloud, with something done before each read of a service. */
function looked(cloud: Cloud, beforeLook: PromoteTry['beforeLook']): Cloud {
  let looks = 0;
  const readService: Cloud['run']['readService'] = async (...args) => {
    await beforeLook?.(++looks);
    return cloud.run.readService(...args);
  };
  return { ...cloud, run: { ...cloud.run, readService } };
}

/** The conditions of a gate that are not met, by id. */
export function openIn(
  gate: Pick<Extract<DurableEvent, { type: 'gate.judged' }>, 'verdict'> | null,
): string[] {
  return gate?.verdict.conditions.flatMap(({ id, met }) => (met ? [] : [id])) ?? [];
}
