import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Google's gcloud judges the local cloud in minutes, not seconds: `npm run judge`.
    exclude: ['test/gcloud/**'],
    globalSetup: ['test/build.ts'],
    // The tests mostly wait for processes; more workers than this make those miss their deadlines on two cores.
    maxWorkers: 4,
    // The files share their workers' modules: reading those anew for each of them took a tenth of the time.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    disableConsoleIntercept: true,
  },
});
