/**
 * Delivers a run to where it is tracked. The run's folder is the truth: what is told is sent in batches,
 * and after a failure whatever the folder has beyond the last row that arrived is sent again.
 */
import { type MetricsRow, readMetrics, type TrackedRun } from '@grok/core';
import {
  type Checkpoint,
  isRunError,
  listCheckpoints,
  listStates,
  readCheckpoint,
  readState,
  sha256Hex,
} from '@grok/core/internal';
import { type EndStatus, readPosition, type SentPosition, writePosition } from './position.js';

/** A run as it is open where it is tracked. Every method rejects with one line that says what to do. */
export interface TrackingSession {
  /** What the run is called there; it goes on under this name. */
  readonly id: string;
  /** The step of the last row that is there, where that can be told. */
  readonly step?: number;
  /** Sends rows in order; settles once they are kept there. */
  send(rows: readonly MetricsRow[]): Promise<void>;
  /** Sends what can be shown of a checkpoint's parameters. */
  sendParameters?(checkpoint: Checkpoint): Promise<void>;
  /** Sends a file of the run's folder. */
  sendArtifact(path: string, bytes: Uint8Array): Promise<void>;
  /** Ends the run there; without a status it may still go on. */
  close(status?: EndStatus): Promise<void>;
  /** Lets go of it after a failure. */
  abandon?(): void;
}
/** What is known of a run that was sent before. */
export type KnownRun = Pick<SentPosition, 'id' | 'begun' | 'step'>;
/** Opens a run where it is tracked, or goes on with it there. */
export type Connect = (run: TrackedRun, known: KnownRun) => Promise<TrackingSession>;

/** Rows of one request. */
const BATCH = 500;
/** Rows that wait in memory; beyond these the folder is read. */
const MOST_WAITING = 10_000;

/** What is still to be sent of a run. */
export class Delivery {
  readonly #run: TrackedRun;
  readonly #connect: Connect;
  #position: SentPosition;
  #rows: MetricsRow[] = [];
  /** The folder has rows or checkpoints that were not told, or that failed. */
  #isBehind = false;
  /** Steps whose parameters are to be sent, each with the file's kind. */
  #parameters = new Map<number, 'checkpoint' | 'state'>();
  #session: TrackingSession | undefined;
  #isAbandoned = false;

  private constructor(run: TrackedRun, connect: Connect, position: SentPosition) {
    this.#run = run;
    this.#connect = connect;
    this.#position = position;
  }

  /** @throws InputError when the file of what was sent is damaged. */
  static async open(run: TrackedRun, connect: Connect): Promise<Delivery> {
    return new Delivery(run, connect, await readPosition(run));
  }

  /** The run begins or goes on after a step: what is before it and was not sent is in the folder. */
  start(step: number): void {
    if (step > this.#position.step) this.#fallBehind();
  }

  addRow(row: MetricsRow): void {
    if (row.step <= this.#position.step) return;
    if (this.#rows.length >= MOST_WAITING) this.#fallBehind();
    if (!this.#isBehind) this.#rows.push(row);
  }

  addParameters(step: number, kind: 'checkpoint' | 'state'): void {
    if (step > this.#position.parameters) this.#parameters.set(step, kind);
  }

  /** Sends all rows and parameters that wait. @throws Error; what was not sent waits for the next time. */
  async send(): Promise<void> {
    try {
      if (!this.#isBehind && this.#rows.length === 0 && this.#parameters.size === 0) return;
      const session = await this.#open();
      const rows = await this.#takeRows();
      const { step } = this.#position;
      const missing = rows.filter((row) => row.step > step);
      for (let i = 0; i < missing.length; i += BATCH) {
        const batch = missing.slice(i, i + BATCH);
        await session.send(batch);
        await this.#advance({ step: batch.at(-1)?.step ?? step });
      }
      await this.#sendParameters(session);
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Sends what waits, the analyses of the run's folder, and how it ended. @throws Error as `send`. */
  async finish(status?: EndStatus): Promise<void> {
    await this.send();
    try {
      await this.#sendArtifacts();
      if (status !== undefined && status !== this.#position.ended) {
        const session = await this.#open();
        await session.close(status);
        await this.#advance({ ended: status });
      } else await this.#session?.close(status);
      this.#session = undefined;
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Sends nothing more: whoever waited for it has gone. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#release();
  }

  /** Rows of the run's folder that did not arrive yet. */
  async countMissing(): Promise<number> {
    const rows = await readMetrics(this.#run.store);
    return rows.filter(({ step }) => step > this.#position.step).length;
  }

  async #takeRows(): Promise<readonly MetricsRow[]> {
    const waiting = this.#rows.splice(0);
    if (!this.#isBehind) return waiting;
    // What is told while the folder is read waits for the next time.
    this.#isBehind = false;
    const { store } = this.#run;
    for (const step of await listStates(store)) this.addParameters(step, 'state');
    for (const step of await listCheckpoints(store)) this.addParameters(step, 'checkpoint');
    return readMetrics(store);
  }

  async #open(): Promise<TrackingSession> {
    if (this.#isAbandoned) throw new Error('it took too long');
    if (this.#session !== undefined) return this.#session;
    const session = await this.#connect(this.#run, this.#position);
    this.#session = session;
    const { ended: _ended, ...known } = this.#position;
    this.#position = known;
    const { id, step = known.step } = session;
    if (step < known.step) this.#fallBehind();
    await this.#advance({ id, step });
    return session;
  }

  async #sendParameters(session: TrackingSession): Promise<void> {
    const { sendParameters } = session;
    const steps = [...this.#parameters].sort(([a], [b]) => a - b);
    for (const [step, kind] of steps) {
      const checkpoint = await this.#readParameters(step, kind);
      if (checkpoint !== undefined) await sendParameters?.call(session, checkpoint);
      this.#parameters.delete(step);
      await this.#advance({ parameters: step });
    }
  }

  /** Older checkpoints are removed while a run goes on, and a damaged one costs its picture only. */
  async #readParameters(
    step: number,
    kind: 'checkpoint' | 'state',
  ): Promise<Checkpoint | undefined> {
    const { store } = this.#run;
    const there = await (kind === 'state' ? listStates : listCheckpoints)(store);
    if (!there.includes(step)) return undefined;
    try {
      return await (kind === 'state' ? readState : readCheckpoint)(store, step);
    } catch (error) {
      if (isRunError(error)) return undefined;
      throw error;
    }
  }

  async #sendArtifacts(): Promise<void> {
    const { store } = this.#run;
    for (const name of await store.list('analysis')) {
      const path = `analysis/${name}`;
      const bytes = await store.read(path);
      if (bytes === undefined) continue;
      const hash = sha256Hex(bytes);
      if (this.#position.artifacts[path] === hash) continue;
      await (await this.#open()).sendArtifact(path, bytes);
      await this.#advance({ artifacts: { ...this.#position.artifacts, [path]: hash } });
    }
  }

  async #advance(changes: Partial<SentPosition>): Promise<void> {
    this.#position = { ...this.#position, ...changes };
    await writePosition(this.#run, this.#position);
    if (this.#isAbandoned) throw new Error('it took too long');
  }

  #fallBehind(): void {
    this.#isBehind = true;
    this.#rows = [];
  }

  #release(): void {
    this.#session?.abandon?.();
    this.#session = undefined;
    this.#fallBehind();
  }
}
