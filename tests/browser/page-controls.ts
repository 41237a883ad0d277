/// <reference lib="dom" />

/** Runs in the page: what a keyboard should reach, each marked with a number that it is known by. */
export function markControls(): string[] {
  const named = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  // Of a group of radio buttons the one that is chosen; the arrow keys lead to the others.
  const passed = ':disabled, [tabindex="-1"], input[type="radio"]:not(:checked)';
  const controls = [...document.querySelectorAll<HTMLElement>(named)].filter(
    (element) => element.checkVisibility({ checkVisibilityCSS: true }) && !element.matches(passed),
  );
  return controls.map((element, index) => {
    element.dataset['control'] = String(index);
    return String(index);
  });
}

/** Where the keyboard is. */
export interface Focus {
  readonly control: string | undefined;
  readonly element: string;
  /** Whether one can see it. */
  readonly isShown: boolean;
}

/** Runs in the page: where the keyboard is; undefined where it is nowhere on the page. */
export function readFocus(): Focus | undefined {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element === document.body) return undefined;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const hasOutline = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0;
  return {
    control: element.dataset['control'],
    element: element.outerHTML.slice(0, 120),
    isShown: hasOutline || boxShadow !== 'none',
  };
}

/** Runs in the page: what a screen reader would stumble over, one line each. */
export function readFlaws(): string[] {
  const flaws: string[] = [];
  const all = <Kind extends HTMLElement>(selector: string) => [...document.querySelectorAll<Kind>(selector)];
  const shown = (element: Element) => element.outerHTML.slice(0, 120);
  const textOf = (id: string) => document.querySelector(`#${CSS.escape(id)}`)?.textContent?.trim();
  const nameOf = (element: HTMLElement): string => {
    const by = element.getAttribute('aria-labelledby')?.split(/\s+/u) ?? [];
    const labels =
      element instanceof HTMLInputElement || element instanceof HTMLSelectElement ? element.labels : null;
    return [
      ...by.map((id) => textOf(id) ?? ''),
      element.getAttribute('aria-label') ?? '',
      ...[...(labels ?? [])].map(({ textContent }) => textContent ?? ''),
      element.matches('button, a, summary') ? (element.textContent ?? '') : '',
      element.title,
    ]
      .join('')
      .trim();
  };
  const unnamed = all(
    'a[href], button, input, select, textarea, summary, dialog, progress, meter, [role="img"], [role="region"], section',
  ).filter((element) => element.checkVisibility() && nameOf(element) === '');
  for (const element of unnamed) flaws.push(`has no name: ${shown(element)}`);
  for (const element of all<HTMLImageElement>('img:not([alt])')) flaws.push(`has no alt: ${shown(element)}`);

  const headings = all('h1, h2, h3, h4, h5, h6').filter((heading) => heading.closest('dialog') === null);
  let level = 0;
  for (const heading of headings) {
    const next = Number(heading.localName.slice(1));
    if (next > level + 1) flaws.push(`skips a level: ${shown(heading)}`);
    level = next;
  }
  if (all('h1').length !== 1) flaws.push(`has ${all('h1').length} h1`);
  if (all('main').length !== 1) flaws.push(`has ${all('main').length} main`);
  if (document.documentElement.lang === '') flaws.push('says no language');
  if (document.title === '') flaws.push('has no title');

  const ids = all('[id]').map(({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) flaws.push(`has two of the id ${id}`);
  for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for']) {
    for (const element of all(`[${attribute}]`)) {
      const named = element.getAttribute(attribute)?.split(/\s+/u) ?? [];
      if (named.some((id) => !ids.includes(id))) flaws.push(`${attribute} names nothing: ${shown(element)}`);
    }
  }
  for (const table of all<HTMLTableElement>('table')) {
    if (table.querySelector('th[scope="col"]') === null) flaws.push(`has no column heads: ${shown(table)}`);
  }
  for (const element of all('[tabindex]')) {
    if (element.tabIndex > 0) flaws.push(`is before its turn: ${shown(element)}`);
  }
  return flaws;
}
