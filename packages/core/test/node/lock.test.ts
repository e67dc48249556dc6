/** Processes that race for a stale lease, some of them killed: a short run of the torture kit. */
import { describe, expect, it } from 'vitest';
import { canLock, hasNamespaces, lock } from '../../../../scripts/torture/lock.mjs';

describe.skipIf(!canLock)(
  'processes that meet at what a killed one left (skipped without a build)',
  () => {
    it('never have two holders (catches: two holders, or none forever)', async () => {
      const { granted, failures } = await lock({ rounds: 10, seed: 18, processes: 4 });
      expect(failures).toEqual([]);
      expect(granted).toBeGreaterThanOrEqual(10);
    }, 60_000);
    it.runIf(process.platform === 'linux' && hasNamespaces())(
      'have one holder, in PID namespaces of their own too (catches: a live lease stolen) (skipped without Linux namespaces)',
      async () => {
        const found = await lock({ rounds: 5, seed: 18, processes: 4, namespaces: 2 });
        expect(found).toMatchObject({ granted: 5, failures: [] });
      },
      60_000,
    );
  },
);
