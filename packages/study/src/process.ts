/** The parts of this package that need Node: processes and folders of records. */
export * from './process-executor.js';
export * from './process-records.js';
export * from './process-worker.js';
