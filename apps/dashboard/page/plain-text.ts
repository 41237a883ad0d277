/**
 * A text as one that leaves the rest of its line alone: controls, and what turns the direction of writing around, are
 * shown as �. Arabic and Hebrew need none of these.
 */
export function plainText(text: string): string {
  return text.replace(UNRULY, '\uFFFD');
}

const UNRULY = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;
