/** A contestant: grok's trainer in headless Chromium, one epoch with evaluation per `go`. */
import { contestantFlags } from './contestant-flags.mjs';
import { serve } from './protocol.mjs';
import { openPage } from './web-server.mjs';

const { unmeasured, ...how } = contestantFlags();
const { page, version } = await openPage('contestant.html', 'contestant');
const training = await page.evaluateHandle((given) => globalThis.contestant(given), how);
const epoch = () => training.evaluate((open) => open.epoch());
for (let i = 0; i < unmeasured; i++) await epoch();

const { device, threads, parameters, compileMs } = await training.evaluate((open) => ({
  device: open.device,
  threads: open.threads,
  parameters: open.parameters,
  compileMs: open.compileMs,
}));
await serve({ version: `${device}, Chromium ${version}`, threads, parameters, compileMs }, epoch);
