/** The runs of a study as a table: what the curves show, in numbers. */
import { assignStyles } from '@grok/report';
import type { RunView } from '../protocol.js';
import { duration } from './state.js';

const percent = (value: number | undefined): string =>
  value === undefined ? '–' : (100 * value).toFixed(1);

export function Runs({
  runs,
  training,
  shown,
  dark,
  onShow,
}: {
  runs: readonly RunView[];
  training: number | undefined;
  shown: number;
  dark: boolean;
  onShow: (index: number) => void;
}) {
  const styles = assignStyles(
    runs.map(({ name }) => name),
    dark,
  );
  return (
    <div class="scroll">
      <table class="runs">
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Epoch</th>
            <th scope="col">
              Training <small>%</small>
            </th>
            <th scope="col">
              Validation <small>%</small>
            </th>
            <th scope="col">
              To 99 <small>%</small>
            </th>
            <th scope="col">An epoch</th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ name, history, epochs, error, secondsPerEpoch, epochsTo99 }, i) => {
            const last = history.at(-1);
            return (
              <tr key={name} data-run={name} aria-current={i === training ? 'step' : undefined}>
                <th scope="row">
                  <label style={{ '--run': styles[i]?.color ?? '' }}>
                    <input
                      type="radio"
                      name="shown"
                      checked={i === shown}
                      onChange={() => onShow(i)}
                    />
                    <i aria-hidden="true" />
                    {name === 'none' ? 'no teacher' : name}
                  </label>
                  {error && <p class="note damage">{error}</p>}
                </th>
                <td data-cell="epoch">
                  {last?.epoch ?? 0}
                  <small> / {epochs}</small>
                </td>
                <td data-cell="training">{percent(last?.train.accuracy)}</td>
                <td data-cell="validation">{percent(last?.validation.accuracy)}</td>
                <td data-cell="to99">{epochsTo99 ?? '–'}</td>
                <td data-cell="seconds">
                  {secondsPerEpoch === null ? '–' : duration(secondsPerEpoch)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
