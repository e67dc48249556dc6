/** A matrix as a picture: a pixel an entry, blue below zero, white at zero, red above. */
import type { HostArray } from '@grok/core';
import { encode } from 'fast-png';
import type { ImageSummary } from './events.js';

const BLUE = [33, 102, 172] as const;
const RED = [178, 24, 43] as const;

/** Draws `[rows, columns]`; the strongest color stands for the greatest absolute value. */
export function drawMatrix({ shape: [height = 0, width = 0], data }: HostArray): ImageSummary {
  let most = 0;
  for (let i = 0; i < data.length; i++) most = Math.max(most, Math.abs(data[i] ?? 0) || 0);
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const share = most === 0 ? 0 : (data[i] ?? 0) / most || 0;
    const color = share < 0 ? BLUE : RED;
    color.forEach((channel, c) => {
      pixels[3 * i + c] = Math.round(255 + Math.abs(share) * (channel - 255));
    });
  }
  return { width, height, png: encode({ width, height, data: pixels, channels: 3 }) };
}
