/** A place that runs are tracked to, in memory: it can be out of reach, and it forgets nothing. */
import type { MetricsRow } from '@grok/core';
import type { Connect, EndStatus } from '../src/index.js';

/** A run as the place has it. */
export interface PlacedRun {
  readonly rows: MetricsRow[];
  readonly parameters: number[];
  readonly artifacts: Record<string, string>;
  status?: EndStatus | undefined;
}

/** A place; `isUp` says whether it can be reached. */
export class Place {
  isUp = true;
  /** How often somebody came. */
  opened = 0;
  readonly runs = new Map<string, PlacedRun>();
  /** Tells the last step when it is asked. */
  readonly remembers: boolean;

  constructor(remembers = false) {
    this.remembers = remembers;
  }

  readonly connect: Connect = async (run, known) => {
    this.#check();
    this.opened++;
    const id = known.id ?? `${run.slug}-${this.runs.size}`;
    const placed: PlacedRun = this.runs.get(id) ?? { rows: [], parameters: [], artifacts: {} };
    this.runs.set(id, placed);
    return {
      id,
      ...(this.remembers ? { step: placed.rows.at(-1)?.step ?? 0 } : {}),
      send: async (rows) => {
        this.#check();
        placed.rows.push(...rows);
      },
      sendParameters: async ({ position }) => {
        placed.parameters.push(position.step);
      },
      sendArtifact: async (path, bytes) => {
        this.#check();
        placed.artifacts[path] = new TextDecoder().decode(bytes);
      },
      close: async (status) => {
        this.#check();
        placed.status = status;
      },
    };
  };

  #check(): void {
    if (!this.isUp) throw new Error('the place cannot be reached; start it');
  }
}
