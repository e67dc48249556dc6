/** What of studies needs Node: processes and folders of records. */
export * from './process-executor.js';
export * from './process-records.js';
export * from './process-worker.js';
