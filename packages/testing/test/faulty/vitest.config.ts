import { defineConfig } from 'vitest/config';

/** Runs the faulty examples only: they must fail, and `faulty.test.ts` reads how. */
export default defineConfig({
  ssr: { resolve: { conditions: ['@grok/source', 'module', 'node', 'development|production'] } },
  test: { include: ['*.faulty.ts'], root: import.meta.dirname, testTimeout: 60_000 },
});
