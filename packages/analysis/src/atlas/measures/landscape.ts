/** The loss around and between trained parameters. */
import {
  align,
  connectLinearly,
  createLossSurface,
  filterNormalizedDirection,
  hessianEigenvalues,
  hessianTrace,
  type LossGrid,
  type LossSurface,
  lossAlongDirection,
  lossOnLine,
  lossOnPlane,
  lossOnTrajectory,
  makeBatch,
} from '@grok/interp';
import { type AtlasMeasure, formatPeer, type Subject, spreadOut } from '../measure.js';
import { cell, type TableRow } from '../tables.js';

/** Rows of all, training and validation, that the loss is a mean over. */
const ROWS = 1024;
const POINTS = 15;

async function onSurface<T>(
  { model, task }: Subject,
  read: (surface: LossSurface) => Promise<T>,
): Promise<T> {
  const rows = spreadOut([...task.labels.keys()], ROWS);
  const batch = makeBatch(task, rows);
  const surface = createLossSurface({ backend: model.backend, model: model.model, batch });
  try {
    return await read(surface);
  } finally {
    surface.dispose();
  }
}

function listCells({ x, y, loss, accuracy }: LossGrid): readonly TableRow[] {
  return loss.map((value, at) => ({
    ...{ x: cell(x[at % x.length]), y: cell(y[Math.floor(at / x.length)]) },
    ...{ loss: cell(value), accuracy: cell(accuracy[at]) },
  }));
}

/** Tables `line` (initial to final parameters), `slice` (along a random direction) and `plane` (along two). */
export const landscapeMeasure: AtlasMeasure = {
  name: 'landscape',
  measure: (subject) =>
    onSurface(subject, async (surface) => {
      const { params } = subject.model;
      const line = await lossOnLine(surface, (await subject.readState(0)).params, params);
      const directions = [0, 1].map((seed) =>
        filterNormalizedDirection(subject.model.model, params, seed),
      );
      const [first = {}, second = {}] = directions;
      const slice = await lossAlongDirection(surface, params, first);
      const plane = await lossOnPlane(surface, params, [first, second], { points: POINTS });
      const list = ({ t, loss, accuracy }: typeof line): readonly TableRow[] =>
        t.map((at, i) => ({ t: cell(at), loss: cell(loss[i]), accuracy: cell(accuracy[i]) }));
      return { line: list(line), slice: list(slice), plane: listCells(plane) };
    }),
};

/** Tables `plane` and `path`: the plane of most variance through a run's states, and where they lie on it. */
export const trajectoryMeasure: AtlasMeasure = {
  name: 'trajectory',
  readsStates: true,
  async measure(subject) {
    const { steps } = subject;
    // The first and the last state alone lie on a line, which `landscape` has.
    if (steps.length < 3) return {};
    return onSurface(subject, async (surface) => {
      const states = await Promise.all(steps.map((step) => subject.readState(step)));
      const all = states.map(({ params }) => params);
      const { path, explained, ...plane } = await lossOnTrajectory(surface, all, {
        points: POINTS,
      });
      const [shareX, shareY] = explained;
      return {
        plane: listCells(plane),
        path: path.map(([x, y], i) => ({ step: steps[i] ?? 0, x: cell(x), y: cell(y) })),
        explained: [{ x: cell(shareX), y: cell(shareY) }],
      };
    });
  },
};

/** Tables `paths` and `barriers`: straight lines to runs that differ in seed or arm alone, before and after alignment. */
export const connectivityMeasure: AtlasMeasure = {
  name: 'connectivity',
  comparesPeers: true,
  measure: (subject) =>
    onSurface(subject, async (surface) => {
      const tables = { paths: [] as TableRow[], barriers: [] as TableRow[] };
      for (const { differ, run } of subject.peers) {
        const peer = await subject.open(run);
        const [mine, theirs] = [subject.model.params, peer.model.params];
        const { reference, aligned } = align(surface.model, mine, theirs);
        const paths = {
          unaligned: await connectLinearly(surface, mine, theirs),
          aligned: await connectLinearly(surface, reference, aligned),
        };
        for (const [basis, { t, loss, accuracy, barrier }] of Object.entries(paths)) {
          const about = { differ, peer: formatPeer(run), basis };
          tables.barriers.push({
            ...about,
            loss: cell(barrier.loss),
            accuracy: cell(barrier.accuracy),
          });
          for (const [i, at] of t.entries())
            tables.paths.push({
              ...about,
              t: cell(at),
              loss: cell(loss[i]),
              accuracy: cell(accuracy[i]),
            });
        }
      }
      return tables;
    }),
};

/** Table `hessian`: leading eigenvalues of the Hessian at the last step, the smallest, and the trace. */
export const hessianMeasure: AtlasMeasure = {
  name: 'hessian',
  flag: 'hessian',
  measure: (subject) =>
    onSurface(subject, async (surface) => {
      const { params } = subject.model;
      const { largest, smallest } = await hessianEigenvalues(surface, params);
      const { trace, standardError } = await hessianTrace(surface, params);
      const values = [...largest.entries()].map(([i, value]): [string, number] => [
        `λ${i + 1}`,
        value,
      ]);
      const named = [...values, ['smallest λ', smallest], ['trace', trace]] as const;
      return {
        hessian: named.map(([name, value]) => ({
          ...{ name, value: cell(value), error: name === 'trace' ? cell(standardError) : null },
        })),
      };
    }),
};
