/** The published layout of an analysis: a teacher and its students in one file, for a run or for a seed of a study. */

import type { Json, SplitRows } from '@grok/core';
import { type AnalyzedModel, asPublished } from '@grok/metrics';
import { type BegunRun, nameStrategies } from '@grok/study';
import { openLast } from './analyze.js';
import { type AnalysisHost, captureInside, type Opened, unlessDamaged } from './open.js';

/** Options of the published layout. */
export interface PublishedOptions {
  /**
   * Whether to use the paper's choices: hidden states 0 and 1 on the first 500 training rows. Otherwise all
   * hidden states on validation rows.
   */
  readonly asPublished?: boolean;
  /** Called for each unreadable student, which is skipped; without this function it is an error. */
  readonly onSkipped?: (student: BegunRun, error: Error) => void;
}
/** The file of the published layout. */
export const PUBLISHED_FILE = 'mechanistic_analysis_results.json';

const ROWS = 500;

/**
 * Analyzes a teacher and its students at their last steps on the inputs of the first student (or of the
 * teacher, without students), in the layout of the paper's file.
 */
export async function analyzeAsPublished(
  host: AnalysisHost,
  teacher: BegunRun,
  students: readonly BegunRun[],
  options: PublishedOptions = {},
): Promise<Json> {
  const { asPublished: published = false, onSkipped } = options;
  const master = await openLast(host, teacher);
  const found: [string, AnalyzedModel][] = [];
  let lead: Opened | undefined;
  for (const student of students) {
    const inside = await unlessDamaged(host, async () => {
      const opened = await openLast(host, student);
      lead ??= opened;
      return captureInside(host, opened, selectRows(lead.split, published), lead.task.inputs);
    });
    const name = student.name === '' ? nameStrategies(student.config.experiment) : student.name;
    if ('value' in inside) found.push([name, inside.value]);
    else if (onSkipped === undefined) throw inside.error;
    else onSkipped(student, inside.error);
  }
  const { split, task } = lead ?? master;
  const own = await captureInside(host, master, selectRows(split, published), task.inputs);
  return asPublished(own, Object.fromEntries(found), { layers: published ? 'published' : 'all' });
}

function selectRows({ train, validation }: SplitRows, published: boolean): Int32Array {
  return (published ? train : validation).subarray(0, ROWS);
}
