// The whole gallery as one plugin.
import { cka } from './cka.js';
import { counted } from './counted.js';
import { csv } from './csv.js';
import { gap } from './gap.js';
import { oneCycle } from './one-cycle.js';
import { points } from './points.js';
import { twoTeachers } from './two-teachers.js';

export default {
  name: 'grok-gallery',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [cka, twoTeachers, points, counted, gap, oneCycle, csv],
};
