/** Kaplan–Meier curves of a plan's arms: the share of runs that has come to an accuracy by each epoch. */
import {
  kaplanMeier,
  nameArm,
  type Plan,
  type StudyRun,
  type SurvivalStep,
  timeArm,
} from '@grok/study';
import type { Figure } from './figures.js';
import { lineEncoding, protectNames } from './style.js';

/** A point of a curve. */
interface CurvePoint {
  readonly panel: string;
  readonly run: string;
  readonly epoch: number;
  readonly share: number;
}

/**
 * A survival figure with a panel per override and a curve per arm, up to the horizon of the plan's hypotheses;
 * undefined without hypotheses or ended runs.
 */
export function survivalFigure(
  plan: Plan,
  runs: readonly StudyRun[],
  threshold: number,
): Figure | undefined {
  if (plan.hypotheses === undefined) return undefined;
  const { horizon } = plan.hypotheses.outcome;
  const students = runs.filter(({ role }) => role !== 'teacher');
  const kinds = [...new Map(students.map((run) => [nameArm(run), run])).values()];
  const curves = kinds.flatMap((run) => {
    const times = [...timeArm(runs, nameArm(run), { threshold, horizon }).values()];
    return times.length === 0 ? [] : [{ run, ended: times.length, curve: kaplanMeier(times) }];
  });
  if (curves.length === 0) return undefined;
  const values = curves.flatMap(({ run, curve }) => listPoints(run, curve, horizon));
  const labels = [...new Set(students.map(({ name }) => name))];
  const counts = curves.map(({ ended }) => ended);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const title = `Share of runs that have come to ${100 * threshold} % of validation accuracy`;
  return {
    name: `survival-${plan.name}-${100 * threshold}`,
    title,
    caption: `${title}, by epoch (1 − Kaplan–Meier); ${least === most ? most : `${least} to ${most}`} runs a curve.`,
    spec: protectNames({
      $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
      background: 'white',
      config: { font: 'sans-serif' },
      data: { values },
      facet: {
        field: 'panel',
        type: 'nominal',
        sort: [...new Set(values.map((v) => v.panel))],
        title: null,
      },
      columns: 3,
      spec: {
        width: 260,
        height: 200,
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
        encoding: {
          x: { field: 'epoch', type: 'quantitative', scale: { domain: [0, horizon] } },
          y: {
            field: 'share',
            type: 'quantitative',
            title: 'share of runs',
            scale: { domain: [0, 1] },
          },
          ...lineEncoding(labels),
        },
      },
    }),
  };
}

function listPoints(
  { name, override }: StudyRun,
  curve: readonly SurvivalStep[],
  horizon: number,
): readonly CurvePoint[] {
  const last = curve.at(-1)?.survival ?? 1;
  const all = [{ time: 0, survival: 1 }, ...curve, { time: horizon, survival: last }];
  return all.map(({ time, survival }) => ({
    ...{ panel: override ?? '', run: name, epoch: time },
    share: Number((1 - survival).toFixed(6)),
  }));
}
