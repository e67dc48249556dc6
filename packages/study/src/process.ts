/** What of studies needs Node: processes and folders of records. */
export * from './process-executor.js';
export * from './process-worker.js';
export * from './record-folder.js';
