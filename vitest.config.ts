import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { browserTests } from './scripts/browser-tests.mjs';
import { findChromium } from './scripts/chromium.mjs';

const executablePath = findChromium();

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of a Chromium, empty where there is none. */
    chromium: string;
  }
}

export default defineConfig({
  resolve: { conditions: ['@grok/source', 'module', 'browser', 'development|production'] },
  // Without `module`: it names AWS's builds for bundlers, which Node does not load.
  ssr: { resolve: { conditions: ['@grok/source', 'node', 'development|production'] } },
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
          exclude: ['**/*.{browser,docs,page,slow}.test.ts'],
          // Else one core of two is left idle.
          maxWorkers: '100%',
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: ['{packages,apps,examples}/*/test/**/*.slow.test.ts', 'tests/**/*.slow.test.ts'],
          provide: { chromium: executablePath ?? '' },
          testTimeout: 3_600_000,
        },
      },
      {
        extends: true,
        // The page as a whole, driven from outside.
        test: {
          name: 'page',
          include: ['apps/web/test/**/*.page.test.ts'],
          provide: { chromium: executablePath ?? '' },
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        // The documentation site, built and driven from outside.
        test: {
          name: 'docs',
          include: ['apps/docs/test/**/*.docs.test.ts'],
          provide: { chromium: executablePath ?? '' },
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        // Threads share memory, which a page may do only when it is isolated from other origins.
        server: {
          headers: {
            'Cross-Origin-Opener-Policy': 'same-origin',
            'Cross-Origin-Embedder-Policy': 'require-corp',
          },
        },
        // Its binaries lie beside its code, where the optimizer would not take them.
        optimizeDeps: { exclude: ['onnxruntime-web'] },
        test: {
          name: 'browser',
          // The tests that Node runs too, but for those that need Node, and those that only a browser can.
          include: [
            '{packages,apps}/*/test/**/*.browser.test.ts',
            'tests/**/*.browser.test.ts',
            ...browserTests(),
            'tests/run.test.ts',
            'tests/trace.test.ts',
          ],
          setupFiles: ['./apps/web/test/setup.ts'],
          browser: {
            enabled: true,
            headless: true,
            // The first run bundles dependencies meanwhile, which takes long on a busy machine.
            connectTimeout: 600_000,
            screenshotFailures: false,
            instances: [{ browser: 'chromium' }],
            provider: playwright({
              launchOptions: {
                ...(executablePath === undefined ? {} : { executablePath }),
                args: ['--enable-unsafe-webgpu'],
              },
            }),
          },
        },
      },
    ],
  },
});
