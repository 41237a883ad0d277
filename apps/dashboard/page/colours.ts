let computed = getComputedStyle(document.documentElement);
let known = new Map<string, string>();
const listeners = new Set<() => void>();

/** A colour of the stylesheet by its name, as a canvas wants it: `colour('bulk')` is `--bulk`. */
export function colour(name: string): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  const value = computed.getPropertyValue(`--${name}`).trim();
  known.set(name, value);
  return value;
}

/** Calls back when the colours are others: a canvas does not follow by itself. */
export function onColoursChange(listener: () => void): void {
  listeners.add(listener);
}

for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
  matchMedia(query).addEventListener('change', () => {
    computed = getComputedStyle(document.documentElement);
    known = new Map();
    for (const listener of listeners) listener();
  });
}
