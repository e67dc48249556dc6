/** A contestant: grok's trainer, one epoch with evaluation per `go`. */
import { contestantFlags } from './contestant-flags.mjs';
import { serve } from './protocol.mjs';
import { openTraining } from './training.mjs';

const { unmeasured, ...how } = contestantFlags();
const training = await openTraining(how);
for (let i = 0; i < unmeasured; i++) await training.epoch();

const { device, threads, parameters, compileMs, programs } = training;
await serve({ version: device, threads, parameters, compileMs, programs }, () => training.epoch());
