/** Studies that this browser keeps. */
import type { ListedStudy } from '../protocol.js';

const STATUS = { new: 'not begun', unfinished: 'unfinished', finished: 'finished' };

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
        {studies.map(({ folder, plan, status }) => (
          <li key={folder}>
            <button
              type="button"
              class="link"
              disabled={folder === current}
              onClick={() => onOpen(folder)}
            >
              {plan.name}
            </button>{' '}
            <small>
              seed {plan.seeds.join(', ')}, {STATUS[status]}
            </small>
            <button
              type="button"
              class="link quiet"
              disabled={folder === current}
              aria-label={`Delete ${plan.name}`}
              onClick={() => confirm(`Delete ${plan.name} and all its runs?`) && onRemove(folder)}
            >
              delete
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
