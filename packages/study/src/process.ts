/** What of studies needs Node: processes, and locks among them. */
export * from './process-executor.js';
export * from './process-lock.js';
export * from './process-worker.js';
