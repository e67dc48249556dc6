import { taskSuite } from '@grok/testing';
import { myTask } from '../src/index.js';

taskSuite('my-task', myTask, { options: { bits: 4 }, refuses: [{ bits: 1 }, { bits: 17 }] });
