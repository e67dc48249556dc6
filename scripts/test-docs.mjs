/** Tests the documentation site. */
import { testInChromium } from './test-in-chromium.mjs';

testInChromium('docs', 'test:docs', ['docs']);
