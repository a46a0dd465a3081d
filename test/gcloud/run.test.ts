import { expect, test } from 'vitest';
import { judge, region } from './kit.ts';

const good = "require('http').createServer((q, s) => s.end(process.env.K_REVISION)).listen(process.env.PORT)";

judge('Cloud Run', { 'europe-west1-docker.pkg.dev/demo-project/judge/good:1': good }, (judged) => {
  test('there are no services at first', async () => {
    expect(await judged().told(['run', 'services', 'list', `--region=${region}`])).toEqual([]);
  });
});
