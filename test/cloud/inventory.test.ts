import { describe, expect, test } from 'vitest';
import { type GetJson, inventoryAdapter } from '../../src/cloud/inventory-adapter.ts';
import { Waiting } from '../../src/cloud/waiting.ts';

const call = { signal: new AbortController().signal, timeoutMs: 2_000 };
const asked: string[] = [];

/** Answers every question with this, as Google would; a number is a refusal with that status. */
function inventory(answer: unknown) {
  const getJson: GetJson = async (url) => {
    asked.push(url);
    if (typeof answer === 'number') throw Object.assign(new Error('as told'), { status: answer });
    return answer;
  };
  return inventoryAdapter(getJson, new Waiting());
}

const secret = { project: 'p', secret: 'api-key', version: 'latest' };
const account = { project: 'p', email: 'run@p.iam.gserviceaccount.com' };
const instance = { project: 'p', region: 'us-central1', instance: 'main' };

describe('what a service refers to', () => {
  test.each<[string, () => Promise<unknown>, unknown]>([
    [
      'a secret that is enabled',
      () => inventory({ state: 'ENABLED' }).secretVersion(secret, call),
      { state: 'exists' },
    ],
    [
      'a version that is disabled',
      () => inventory({ state: 'DISABLED' }).secretVersion(secret, call),
      { state: 'unusable', why: 'its state is DISABLED' },
    ],
    [
      'no such secret',
      () => inventory(404).secretVersion(secret, call),
      { state: 'missing', why: 'as told' },
    ],
    ['an account', () => inventory({ email: 'x' }).serviceAccount(account, call), { state: 'exists' }],
    [
      'an account that is disabled',
      () => inventory({ email: 'x', disabled: true }).serviceAccount(account, call),
      { state: 'unusable', why: 'it is disabled' },
    ],
    [
      'an instance',
      () => inventory({ name: 'x', state: 'RUNNABLE', region: 'us-central1' }).sqlInstance(instance, call),
      { state: 'exists' },
    ],
    [
      'an instance of the same name elsewhere',
      () => inventory({ name: 'x', state: 'RUNNABLE', region: 'europe-west1' }).sqlInstance(instance, call),
      { state: 'unusable', why: 'it is in europe-west1' },
    ],
    [
      'an instance that is stopped',
      () => inventory({ name: 'x', state: 'SUSPENDED' }).sqlInstance(instance, call),
      { state: 'unusable', why: 'its state is SUSPENDED' },
    ],
  ])('%s', async (_, ask, expected) => {
    expect(await ask()).toEqual(expected);
  });

  test('is unknown when the cloud does not tell, and never there', async () => {
    await expect(inventory(403).secretVersion(secret, call)).rejects.toMatchObject({ kind: 'forbidden' });
    await expect(inventory({ surprise: true }).secretVersion(secret, call)).rejects.toMatchObject({
      kind: 'internal',
    });
  });

  test('is asked for at its place, whatever it is called', async () => {
    asked.length = 0;
    await inventory({ state: 'ENABLED' }).secretVersion({ ...secret, project: '../x' }, call);
    await inventory({ email: 'x' }).serviceAccount(account, call);
    await inventory({ state: 'ENABLED' }).secretVersion({ ...secret, secret: 'projects/q/secrets/s' }, call);
    expect(asked).toEqual([
      'https://secretmanager.googleapis.com/v1/projects/..%2Fx/secrets/api-key/versions/latest',
      'https://iam.googleapis.com/v1/projects/p/serviceAccounts/run%40p.iam.gserviceaccount.com',
      'https://secretmanager.googleapis.com/v1/projects/q/secrets/s/versions/latest',
    ]);
  });
});
