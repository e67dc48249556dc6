/** Whether a teacher's states serve its student: a linear map from one to the other, fitted on training rows. */

import { takeRows } from '@grok/core/internal';
import { getActName, makeBatch, stitch } from '@grok/interp';
import { type AtlasMeasure, firstRows, spreadOut } from '../measure.js';
import { cell, type TableRow } from '../tables.js';

const FIT_ROWS = 1024;

/** Table `stitching`: accuracy of the student as it is, with its teacher's states, and with its own mean states. */
export const stitchingMeasure: AtlasMeasure = {
  name: 'stitching',
  comparesTeacher: true,
  async measure(subject) {
    const { teacher, task, split, model } = subject;
    if (teacher === undefined) return {};
    const fitRows = takeRows(task.inputs, Int32Array.from(spreadOut([...split.train], FIT_ROWS)));
    const batch = makeBatch(task, firstRows(subject));
    const layers = Math.min(model.model.shape.layers, teacher.model.model.shape.layers);
    const found: TableRow[] = [];
    for (let block = 0; block < layers; block++)
      for (const part of ['resid_mid', 'resid_post']) {
        const site = getActName(part, block);
        const sites = { teacherSite: site, studentSite: site };
        const { student, stitched, meanAblated, r2 } = await stitch({
          ...{ teacher: teacher.model, student: model, ...sites, fit: fitRows, batch },
        });
        const values = { itself: student, "the teacher's": stitched, mean: meanAblated };
        found.push(
          ...Object.entries(values).map(([states, accuracy]) => ({
            ...{ site, states, accuracy: cell(accuracy), r2: cell(r2) },
          })),
        );
      }
    return { stitching: found };
  },
};
