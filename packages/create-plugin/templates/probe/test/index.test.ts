import { probeSuite } from '@grok/testing';
import { myProbe } from '../src/index.js';

probeSuite('my-probe', myProbe, { refuses: [{ every: 0 }] });
