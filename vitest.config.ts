import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@grok/source', 'module', 'browser', 'development|production'] },
  ssr: { resolve: { conditions: ['@grok/source', 'module', 'node', 'development|production'] } },
  test: {
    reporters: ['default', './scripts/plain-reporter.mjs'],
    setupFiles: ['./tests/setup.ts'],
    // Nothing asserts a time; on a busy machine a compiler needs longer than the default 5 s.
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['{packages,apps,examples}/*/test/**/*.test.ts', 'tests/**/*.test.ts'],
          exclude: ['**/*.browser.test.ts', '**/*.slow.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: ['{packages,apps,examples}/*/test/**/*.slow.test.ts', 'tests/**/*.slow.test.ts'],
          testTimeout: 3_600_000,
        },
      },
    ],
  },
});
