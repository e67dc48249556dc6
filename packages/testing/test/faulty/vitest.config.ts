import { defineConfig } from 'vitest/config';

/** Runs only the faulty examples, which must fail; `faulty.test.ts` reads the results. */
export default defineConfig({
  ssr: { resolve: { conditions: ['@grok/source', 'module', 'node', 'development|production'] } },
  test: { include: ['*.faulty.ts'], root: import.meta.dirname, testTimeout: 60_000 },
});
