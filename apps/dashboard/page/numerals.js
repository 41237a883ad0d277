const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** Short enough for a figure, exact where a person counts: 0.4, 12, 4,213, 41.2K. */
export function shortNumber(value) {
  if (!Number.isFinite(value)) return '–';
  if (value >= 10_000) return compact.format(value);
  return value < 100 ? tenths.format(value) : whole.format(value);
}

export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

export function bytes(value) {
  return value >= 1_073_741_824
    ? `${tenths.format(value / 1_073_741_824)} GiB`
    : `${whole.format(value / 1_048_576)} MiB`;
}

/** `now`, `7 s ago`, `2 min 3 s ago`. */
export function ago(seconds) {
  const rounded = Math.round(seconds);
  if (rounded <= 0) return 'now';
  if (rounded < 60) return `${rounded} s ago`;
  const rest = rounded % 60;
  return `${Math.floor(rounded / 60)} min${rest ? ` ${rest} s` : ''} ago`;
}
