/// <reference lib="dom" />

/** Red, green, blue; 0 to 255. */
export type Colour = readonly [number, number, number];

/** Text as it is painted, for an element that has some of its own. */
export interface TextPaint {
  readonly text: string;
  /** What it is, as `td.number`. */
  readonly element: string;
  readonly colour: Colour;
  readonly background: Colour;
  readonly sizePx: number;
  readonly isBold: boolean;
}

/** Runs in the page: every text below an element that can be seen. */
export function textPaints(root: Element): TextPaint[] {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no canvas');
  /** Any colour of CSS, over another. */
  const paint = (colour: string, under: Colour, alpha = 1): Colour => {
    context.globalAlpha = 1;
    context.fillStyle = `rgb(${under.join(' ')})`;
    context.fillRect(0, 0, 1, 1);
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
    return [red, green, blue];
  };
  const chainOf = (element: Element): Element[] => {
    const chain = [element];
    for (let at = element.parentElement; at !== null; at = at.parentElement) chain.unshift(at);
    return chain;
  };
  const paintOf = (element: Element): { colour: Colour; background: Colour } => {
    const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
    let background: Colour = isDark ? [18, 18, 18] : [255, 255, 255];
    let alpha = 1;
    for (const one of chainOf(element)) {
      const { backgroundColor, opacity } = getComputedStyle(one);
      alpha *= Number(opacity);
      background = paint(backgroundColor, background, alpha);
    }
    const { color, fill } = getComputedStyle(element);
    return { colour: paint(element instanceof SVGElement ? fill : color, background, alpha), background };
  };
  const isSeen = (element: Element): boolean => {
    const { width, height } = element.getBoundingClientRect();
    // What is for screen readers alone is one pixel large.
    return (
      width > 1 && height > 1 && element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true })
    );
  };
  return [root, ...root.querySelectorAll('*')].flatMap((element) => {
    const own = [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
    const text = own
      .map(({ textContent }) => textContent ?? '')
      .join(' ')
      .trim();
    if (text === '' || !isSeen(element)) return [];
    const style = getComputedStyle(element);
    return {
      text: text.slice(0, 60),
      element: [element.localName, ...element.classList].join('.'),
      ...paintOf(element),
      sizePx: Number.parseFloat(style.fontSize),
      isBold: Number(style.fontWeight) >= 700,
    };
  });
}

/**
 * From 1 to 21. Source: WCAG 2.2, contrast ratio and relative luminance
 * (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
 */
export function contrast(one: Colour, other: Colour): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

/** What the text needs to be read by most: WCAG 2.2, 1.4.3. */
export function neededContrast({ sizePx, isBold }: TextPaint): number {
  return sizePx >= 24 || (isBold && sizePx >= 18.66) ? 3 : 4.5;
}

/** 0 for black, 1 for white. */
export function luminance([red, green, blue]: Colour): number {
  const linear = (value: number): number =>
    value / 255 <= 0.040_45 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

/** Red to everybody, in light and dark; amber is not. */
export function isRed([red, green, blue]: Colour): boolean {
  const hueDegrees = (60 * (green - blue)) / Math.max(1, red - Math.min(green, blue));
  return red > 140 && red - Math.max(green, blue) > 60 && Math.abs(hueDegrees) < 18;
}
