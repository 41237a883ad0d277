import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const sheet = readFileSync(new URL('styles/page.css', import.meta.url), 'utf8');
const [light = '', dark = ''] = sheet.split('@media (prefers-color-scheme: dark)');

/** What is drawn in a colour of its own: lanes, ages, rates, faults, stages of work, workers. */
const SERIES = [
  'interactive',
  'bulk',
  'oldest',
  'throughput',
  'bad',
  'tokenize',
  'device',
  'store',
  'reply',
  ...Array.from({ length: 8 }, (_, index) => `worker-${index + 1}`),
];
/** In OKLab, whose unit is from black to white. Red and pink of one lightness are about 0.1 apart. */
const LEAST_DISTANCE = 0.065;

describe.each([
  ['light', light],
  ['dark', dark],
])('colours in %s', (_, part) => {
  it('of what means something else look like something else', () => {
    const colours = SERIES.map((name) => [name, oklab(colourOf(part, name))] as const);
    const close = colours.flatMap(([name, one], index) =>
      colours.slice(index + 1).flatMap(([other, its]) => {
        const distance = Math.hypot(...one.map((value, at) => value - (its[at] ?? 0)));
        return distance < LEAST_DISTANCE ? [`${name} and ${other}: ${distance.toFixed(3)}`] : [];
      }),
    );
    expect(close).toEqual([]);
  });
});

function colourOf(part: string, name: string): string {
  const [, colour] = new RegExp(`--${name}: (#[0-9a-f]{6});`, 'u').exec(part) ?? [];
  if (colour === undefined) throw new Error(`there is no --${name}`);
  return colour;
}

/** https://bottosson.github.io/posts/oklab */
function oklab(hex: string): readonly number[] {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  const [l, m, s] = [
    Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b),
    Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b),
    Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b),
  ] as const;
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
