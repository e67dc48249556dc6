/** Inside the model: its embedding on the circle of a frequency, the spectrum, and where attention goes. */

import { describeRun } from '@grok/report';
import { useState } from 'preact/hooks';
import type { Picture } from '../protocol.js';

const SIZE = 320;
const EDGE = 18;
const OVER = 'no picture for its last checkpoint';

export function Inside({
  picture,
  name,
  isOver,
  dark,
}: {
  picture: Picture | undefined;
  name: string;
  /** Nothing more will come of this run. */
  isOver: boolean;
  dark: boolean;
}) {
  const [chosen, choose] = useState<number>();
  const [view, setView] = useState<'circle' | 'principal'>('circle');
  const spectrum = picture?.spectrum ?? [];
  const strongest = spectrum.indexOf(Math.max(...spectrum)) + 1;
  const k = Math.min(chosen ?? strongest, Math.max(1, spectrum.length));
  return (
    <section class="inside" aria-labelledby="inside">
      <header>
        <h2 id="inside">Inside {describeRun(name)}</h2>
        <p class="muted">
          {picture
            ? `as of epoch ${picture.epoch}`
            : isOver
              ? OVER
              : 'pictures appear during training'}
        </p>
      </header>
      <div class="panels">
        <figure data-picture="embedding">
          <figcaption>
            Embedding
            <span class="choice">
              {(['circle', 'principal'] as const).map((one) => (
                <button
                  type="button"
                  key={one}
                  aria-pressed={view === one}
                  onClick={() => setView(one)}
                >
                  {one === 'circle' ? 'one frequency' : 'principal directions'}
                </button>
              ))}
            </span>
          </figcaption>
          <Embedding picture={picture} k={k} view={view} dark={dark} />
          <p class="note">
            {view === 'circle'
              ? 'One point per number, colored by its angle. A model that has generalized puts them on a circle.'
              : 'One point per number, along the first two principal components.'}
          </p>
        </figure>
        <figure data-picture="spectrum">
          <figcaption>
            Frequencies{' '}
            <output>
              {spectrum.length > 0
                ? `k = ${k}${chosen === undefined ? ', the strongest' : ''}`
                : ''}
            </output>
          </figcaption>
          <Spectrum values={spectrum} k={k} />
          <input
            type="range"
            min="1"
            max={Math.max(1, spectrum.length)}
            value={k}
            disabled={spectrum.length === 0}
            aria-label="Frequency of the circle"
            onInput={(event) => choose(Number(event.currentTarget.value))}
          />
          <p class="note">
            How much of each rhythm the embedding holds. Before grokking all are there; afterwards a
            few.{' '}
            {chosen !== undefined && (
              <button type="button" class="link" onClick={() => choose(undefined)}>
                Follow the strongest
              </button>
            )}
          </p>
        </figure>
        <figure data-picture="attention">
          <figcaption>Attention</figcaption>
          <Attention picture={picture} />
          <p class="note">
            From each place (rows) to those before it: the mean over validation rows.
          </p>
        </figure>
      </div>
    </section>
  );
}

function Embedding({
  picture,
  k,
  view,
  dark,
}: {
  picture: Picture | undefined;
  k: number;
  view: 'circle' | 'principal';
  dark: boolean;
}) {
  const points = (view === 'circle' ? picture?.circles[k - 1] : picture?.principal) ?? [];
  const n = points.length / 2;
  const far = Math.max(1e-9, ...points.map(Math.abs));
  const at = (i: number): [number, number] => [
    SIZE / 2 + ((SIZE / 2 - EDGE) * points[2 * i]!) / far,
    SIZE / 2 - ((SIZE / 2 - EDGE) * points[2 * i + 1]!) / far,
  ];
  // Neighbors on the circle of frequency k are those whose turns k·x/n differ least.
  const order = Array.from({ length: n }, (_, x) => x).sort(
    (a, b) => ((k * a) % n) - ((k * b) % n) || a - b,
  );
  return (
    <svg
      class="embedding"
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      role="img"
      aria-label={`Embedding of ${n} residues`}
      data-points={n}
    >
      {n === 0 ? (
        <circle class="waiting" cx={SIZE / 2} cy={SIZE / 2} r={SIZE / 2 - EDGE} />
      ) : (
        <polygon
          class="ring"
          points={order
            .map((x) =>
              at(x)
                .map((v) => v.toFixed(1))
                .join(),
            )
            .join(' ')}
        />
      )}
      {order.map((x) => {
        const [cx, cy] = at(x);
        const fill = wheel(((k * x) % n) / n, dark);
        return n <= 40 ? (
          <g key={x} transform={`translate(${cx.toFixed(1)} ${cy.toFixed(1)})`}>
            <circle r="12.5" fill={fill} />
            <text dy="5">{picture!.residues[x]}</text>
          </g>
        ) : (
          <circle key={x} cx={cx.toFixed(1)} cy={cy.toFixed(1)} r="4" fill={fill}>
            <title>{picture!.residues[x]}</title>
          </circle>
        );
      })}
    </svg>
  );
}

function Spectrum({ values, k }: { values: readonly number[]; k: number }) {
  const highest = Math.max(1e-9, ...values);
  const width = SIZE / Math.max(1, values.length);
  return (
    <svg
      class="spectrum"
      viewBox={`0 0 ${SIZE} 120`}
      preserveAspectRatio="none"
      role="img"
      aria-label="Norm of the embedding at each frequency"
      data-bars={values.length}
    >
      {values.map((value, i) => (
        <rect
          key={i}
          class={i + 1 === k ? 'on' : ''}
          x={i * width + width * 0.15}
          width={width * 0.7}
          y={120 - (118 * value) / highest}
          height={(118 * value) / highest}
        />
      ))}
      <line x1="0" x2={SIZE} y1="119.5" y2="119.5" />
    </svg>
  );
}

function Attention({ picture }: { picture: Picture | undefined }) {
  const positions = picture?.positions ?? ['a', '', 'b', '='];
  const n = positions.length;
  const maps =
    picture?.patterns ?? [0, 1].map((block) => ({ block, head: 0, weights: [] as number[] }));
  const several = maps.some(({ head }) => head > 0);
  const cell = 30;
  return (
    <div class="maps">
      {maps.map(({ block, head, weights }) => (
        <svg
          key={`${block}.${head}`}
          viewBox={`-22 -20 ${n * cell + 24} ${n * cell + 42}`}
          role="img"
          aria-label={`Attention of block ${block + 1}, head ${head + 1}`}
          data-cells={weights.length}
        >
          {positions.map((name, i) => (
            <g key={i}>
              <text x={i * cell + cell / 2} y="-7">
                {name}
              </text>
              <text x="-11" y={i * cell + cell / 2 + 4}>
                {name}
              </text>
            </g>
          ))}
          {Array.from({ length: n * n }, (_, at) => {
            const [query, key] = [Math.floor(at / n), at % n];
            if (key > query && !(weights[at]! > 0)) return null;
            const weight = weights[at] ?? 0;
            return (
              <rect
                key={at}
                x={key * cell + 1}
                y={query * cell + 1}
                width={cell - 2}
                height={cell - 2}
                rx="3"
                style={{ '--weight': weight.toFixed(3) }}
              >
                <title>{`${positions[query]} to ${positions[key]}: ${weight.toFixed(2)}`}</title>
              </rect>
            );
          })}
          <text class="of" x={(n * cell) / 2} y={n * cell + 17}>
            block {block + 1}
            {several ? `, head ${head + 1}` : ''}
          </text>
        </svg>
      ))}
    </div>
  );
}

/** A place on a wheel of colors, 0–1: neighbors look alike, and it comes round. */
function wheel(turn: number, dark: boolean): string {
  return `oklch(${dark ? 0.78 : 0.6} 0.13 ${(turn * 360).toFixed(1)})`;
}
