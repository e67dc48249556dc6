/** Studies that this browser keeps. */
import type { ListedStudy } from '../protocol.js';

const STATUS = {
  new: 'not begun',
  unfinished: 'unfinished',
  finished: 'finished',
  damaged: 'cannot be read',
};

export function Kept({
  studies,
  current,
  onOpen,
  onRemove,
}: {
  studies: readonly ListedStudy[];
  current: string | undefined;
  onOpen: (folder: string) => void;
  onRemove: (folder: string) => void;
}) {
  if (studies.length === 0) return null;
  return (
    <section class="kept" aria-labelledby="kept">
      <h2 id="kept">Kept in this browser</h2>
      <ul>
        {studies.map(({ folder, name = folder, seeds = [], status, error }) => (
          <li key={folder}>
            <button
              type="button"
              class="link"
              disabled={folder === current || status === 'damaged'}
              onClick={() => onOpen(folder)}
            >
              {name}
            </button>{' '}
            <small>
              {seeds.length > 0 ? `seed ${seeds.join(', ')}, ` : ''}
              {STATUS[status]}
            </small>
            <button
              type="button"
              class="link quiet"
              disabled={folder === current}
              aria-label={`Delete ${name}`}
              onClick={() => confirm(`Delete ${name} and all its runs?`) && onRemove(folder)}
            >
              delete
            </button>
            {error && <p class="note wide damage">{error}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
