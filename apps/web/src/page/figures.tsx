/** A finished study's figures, as the report draws them. */
import { useEffect, useMemo } from 'preact/hooks';
import type { FigureSvg } from '../protocol.js';

export function Figures({ figures }: { figures: readonly FigureSvg[] }) {
  return (
    <section class="figures" aria-label="Figures">
      {figures.map((figure) => (
        <Figure key={figure.name} {...figure} />
      ))}
    </section>
  );
}

/** An image: what stands in an SVG file cannot act on the page. */
function Figure({ name, title, caption, svg }: FigureSvg) {
  const address = useMemo(
    () => URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' })),
    [svg],
  );
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return (
    <figure data-figure={name}>
      <div class="scroll">
        <img src={address} alt={caption} />
      </div>
      <figcaption>
        <b>{title}.</b> {caption}
      </figcaption>
    </figure>
  );
}
