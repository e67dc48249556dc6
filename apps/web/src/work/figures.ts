/** The report's figures of a study, drawn: a finished one looks here as it does in a report. */
import { buildFigures, type FigureSpec, renderSvg } from '@grok/report';
import { hasBegun, type StudyRun } from '@grok/study';
import type { FigureSvg } from '../protocol.js';

/** Every figure that runs with an epoch have something for. */
export async function drawFigures(runs: readonly StudyRun[]): Promise<readonly FigureSvg[]> {
  const begun = runs.filter(hasBegun).filter(({ history }) => history.length > 0);
  if (begun.length === 0) return [];
  const drawn: FigureSvg[] = [];
  for (const { spec, ...figure } of buildFigures(begun, []))
    drawn.push({ ...figure, svg: await renderSvg(stacked(spec)) });
  return drawn;
}

/** Panels one under another: a page is narrower than a sheet, and its legend must be seen. */
function stacked({ hconcat, ...spec }: FigureSpec): FigureSpec {
  return hconcat === undefined ? spec : { ...spec, vconcat: hconcat };
}
