import { defineConfig } from 'vitest/config';

/** `npm run judge`: Google's own gcloud against the local cloud. It takes minutes, so `npm test` leaves it out. */
export default defineConfig({
  test: {
    include: ['test/gcloud/**/*.test.ts'],
    globalSetup: ['test/build.ts'],
    // Every call of gcloud starts a Python of its own.
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    disableConsoleIntercept: true,
  },
});
