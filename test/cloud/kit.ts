import { onTestFinished } from 'vitest';
import { connectLocal } from '../../src/cloud/connect.ts';
import type { Cloud } from '../../src/cloud/ports/index.ts';
import { type Call, CloudError, type ServiceEdit } from '../../src/cloud/ports/index.ts';

export const ref = { project: 'demo', region: 'europe-west1', service: 'chat' };

export function call(limits: { timeoutMs?: number } = {}): Call {
  return { signal: new AbortController().signal, ...limits };
}

export async function connectTo(port: number): Promise<Cloud> {
  const cloud = await connectLocal({ port, project: ref.project });
  onTestFinished(() => cloud.close());
  return cloud;
}

export function templateOf(revision: string, image = 'images/good:1'): NonNullable<ServiceEdit['template']> {
  return {
    revision,
    set: { image, port: 9000, cpu: '1', memory: '512Mi', timeoutSeconds: 60, maxInstances: 3 },
    env: { set: { GREETING: 'hello' }, remove: [] },
    secrets: { set: {}, remove: [] },
    labels: { set: {}, remove: [] },
    annotations: {},
  };
}

/** How a call was refused; `resolved` when it was not. */
export async function kindOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => {
      if (error instanceof CloudError) return error.kind;
      throw error;
    },
  );
}
