/** Stands where nothing is known. */
export const NONE = '—';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** Short enough for a figure, exact where a person counts: 0.4, 12, 4,213, 41.2K. */
export function shortNumber(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  if (Math.abs(value) >= 10_000) return compact.format(value);
  return Math.abs(value) < 100 ? tenths.format(value) : whole.format(value);
}

/** To the last one where a person counts them: 10,000 clients, 12,345 texts. */
export function exactNumber(value: number | undefined): string {
  return value !== undefined && value < 100_000 ? whole.format(value) : shortNumber(value);
}

/** A share of 0 to 1. What is little, and not nothing, does not read as nothing. */
export function percent(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return NONE;
  if (share > 0 && share < 0.005) return '< 0.5 %';
  // 99.7 % is not all.
  return `${share < 1 ? Math.min(99.9, Number((share * 100).toPrecision(2))) : Math.round(share * 100)} %`;
}

export function bytes(value: number): string {
  return value >= 1_073_741_824
    ? `${tenths.format(value / 1_073_741_824)} GiB`
    : `${whole.format(value / 1_048_576)} MiB`;
}

/** The two greatest units: `0.4 ms`, `34 ms`, `1.2 s`, `12 s`, `2 min 10 s`, `3 h 12 min`, `5 d 2 h`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return NONE;
  if (ms < 999.5) return `${ms < 10 ? tenths.format(ms) : whole.format(ms)} ms`;
  if (ms < 9_950) return `${tenths.format(ms / 1_000)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  for (const [unit, size, below, belowSize] of UNITS) {
    if (seconds < size) continue;
    const rest = Math.floor((seconds % size) / belowSize);
    return `${whole.format(Math.floor(seconds / size))} ${unit}${rest ? ` ${rest} ${below}` : ''}`;
  }
  return NONE;
}

const UNITS = [
  ['d', 86_400, 'h', 3_600],
  ['h', 3_600, 'min', 60],
  ['min', 60, 's', 1],
] as const;

/** Whole seconds and above: `0 s`, `7 s`, `2 min 3 s`. */
export function calmDuration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return NONE;
  const seconds = Math.round(ms / 1_000);
  return seconds < 10 ? `${seconds} s` : duration(seconds * 1_000);
}

/** `now`, `7 s ago`, `2 min 3 s ago`. */
export function ago(ms: number): string {
  return ms < 1_500 ? 'now' : `${calmDuration(ms)} ago`;
}

/** Cuts where a person reads no further; never inside a surrogate pair. */
export function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return `${text.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/u, '')}…`;
}
