/** Runs the browser tests. */
import { testInChromium } from './test-in-chromium.mjs';

testInChromium('browser tests', 'test:browser', ['browser', 'page']);
