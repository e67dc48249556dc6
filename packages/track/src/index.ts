/** What trackers share: delivery of a run from its folder, the position of what was sent, flat names. */
export type { Connect, KnownRun, TrackingSession } from './delivery.js';
export type { EndStatus } from './position.js';
export { type ConfigValue, listConfig, listScalars } from './scalars.js';
export { createTracker, type TrackerOptions } from './tracker.js';
