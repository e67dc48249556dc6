/** The published layout of an analysis: a teacher and its students in one file, for a run or for a seed of a study. */

import type { Json, SplitRows } from '@grok/core';
import { type AnalyzedModel, asPublished } from '@grok/metrics';
import { type BegunRun, nameStrategies } from '@grok/study';
import { openLast } from './analyze.js';
import { type AnalysisHost, insideOf } from './open.js';

/** Rows and hidden states of the published layout. */
export interface PublishedOptions {
  /** The paper's choices: hidden states 0 and 1 on the first 500 training rows; else all, on validation rows. */
  readonly asPublished?: boolean;
}
/** The file of the published layout. */
export const PUBLISHED_FILE = 'mechanistic_analysis_results.json';

const ROWS = 500;

/**
 * A teacher's and its students' analysis at their last steps, all over the inputs of the first student
 * (of the teacher, where it has none). The layout is that of the paper's file, key by key.
 */
export async function publishedOf(
  host: AnalysisHost,
  teacher: BegunRun,
  students: readonly BegunRun[],
  options: PublishedOptions = {},
): Promise<Json> {
  const { asPublished: published = false } = options;
  const master = await openLast(host, teacher);
  const found: Record<string, AnalyzedModel> = {};
  let lead = master;
  for (const [i, student] of students.entries()) {
    const opened = await openLast(host, student);
    if (i === 0) lead = opened;
    const name = student.name === '' ? nameStrategies(student.config.experiment) : student.name;
    found[name] = await insideOf(host, opened, rowsOf(lead.split, published), lead.task.inputs);
  }
  const rows = rowsOf(lead.split, published);
  const own = await insideOf(host, master, rows, lead.task.inputs);
  return asPublished(own, found, { layers: published ? 'published' : 'all' });
}

function rowsOf({ train, validation }: SplitRows, published: boolean): Int32Array {
  return (published ? train : validation).subarray(0, ROWS);
}
