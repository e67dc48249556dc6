/**
 * The numbers that "Distilling Grokking" (Tveit, 2025) prints for its runs. It trained no student
 * without a teacher, so the control has none. The teacher's epochs are those of section 4.1, where it
 * goes from 10 to 99 %.
 */

/** Published results of a run; accuracies are 0–1. */
export interface Published {
  /** Epochs to 99 % validation accuracy, as printed. */
  readonly epochsTo99: string;
  readonly finalValAccuracy: number;
}

/** The paper's results by run name: the teacher and the three strategies. */
export const published: Readonly<Record<string, Published>> = {
  teacher: { epochsTo99: '70–90', finalValAccuracy: 1 },
  logit: { epochsTo99: '123', finalValAccuracy: 0.9998 },
  attention: { epochsTo99: '121', finalValAccuracy: 0.9996 },
  feature: { epochsTo99: '91', finalValAccuracy: 1 },
};
