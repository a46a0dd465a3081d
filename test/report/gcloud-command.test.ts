import { expect, test } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';
import { gcloudCommands } from '../../src/report/gcloud-command.ts';

const plan: Plan = {
  version: 1,
  service: 'chat',
  environment: 'staging',
  place: { project: 'demo', region: 'us-central1', service: 'chat' },
  action: 'update',
  first: false,
  because: '',
  changes: [
    { field: 'image', from: 'a', to: 'b' },
    { field: 'env.LIST', from: null, to: 'a,b' },
    { field: 'env.QUOTE', from: null, to: "it's $HOME" },
    { field: 'env.KEY', from: '[redacted]', to: '[redacted]' },
    { field: 'env.OLD', from: 'x', to: null },
    { field: 'secrets.TOKEN', from: null, to: 'token:3' },
    { field: 'container.memory', from: '256Mi', to: '512Mi' },
    { field: 'container.cpuBoost', from: 'true', to: 'false' },
    { field: 'container.cloudSql', from: null, to: 'p:r:a, p:r:b' },
  ],
  image: { from: 'build', reference: null, source: null },
  revision: 'chat-r1',
  tag: 'candidate',
  formerTraffic: [],
  etag: '',
  serviceWide: [{ field: 'public', from: 'false', to: 'true' }],
  steps: [],
  notes: [],
  blockers: [],
};

test('the changes are flags, what is hidden stays hidden, a shell takes it as it is', () => {
  const [deploy = '', traffic = '', update = ''] = gcloudCommands(plan, 'repo/chat@sha256:aa', true);
  expect(deploy.split(' \\\n  ')).toEqual([
    'gcloud run deploy chat',
    '--project=demo',
    '--region=us-central1',
    '--image=repo/chat@sha256:aa',
    '--revision-suffix=r1',
    '--no-traffic',
    '--tag=candidate',
    '--memory=512Mi',
    '--no-cpu-boost',
    '--set-cloudsql-instances=p:r:a,p:r:b',
    `'--update-env-vars=^|^LIST=a,b|QUOTE=it'\\''s $HOME|KEY=[redacted]'`,
    '--remove-env-vars=OLD',
    '--update-secrets=TOKEN=token:3',
  ]);
  expect(traffic).toContain('--to-revisions=chat-r1=100');
  expect(update).toContain('--no-invoker-iam-check');
});

test('only what was done is told', () => {
  expect(gcloudCommands(plan, 'x', false)).toHaveLength(1);
});
