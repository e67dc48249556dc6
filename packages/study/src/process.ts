/** What of studies needs Node: processes. */
export * from './process-executor.js';
export * from './process-worker.js';
