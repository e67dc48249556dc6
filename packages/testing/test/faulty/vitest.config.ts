import { defineConfig } from 'vitest/config';
import base from '../../../../vitest.config.js';

/** Runs the faulty examples only: they must fail, and `faulty.test.ts` reads how. */
export default defineConfig({
  resolve: base.resolve ?? {},
  ssr: base.ssr ?? {},
  test: { include: ['*.faulty.ts'], root: import.meta.dirname },
});
