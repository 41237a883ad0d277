import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'apps/*/page/**/*.test.ts',
      'tests/**/*.test.ts',
    ],
    // Each file has its own process: native threads and a leak in one cannot touch another.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
