import { make } from './elements.ts';
import { plainText } from './plain-text.ts';

/** What a table cell shows. `small` is a second line, `tone` how it stands out. */
export interface Cell {
  readonly text: string;
  readonly number?: boolean;
  readonly small?: string;
  /** All of a text that is cut. */
  readonly title?: string;
  readonly tone?: 'warn' | 'bad' | 'quiet';
  readonly progress?: { readonly share: number; readonly label: string };
  readonly buttons?: readonly { readonly action: string; readonly text: string; readonly label: string }[];
}

export interface Row {
  readonly key: string;
  readonly state?: string;
  readonly cells: readonly (Cell | string)[];
}

/**
 * Table rows that stay: a row keeps its element while its key is there, and only what changed is written, so a
 * selection and the focus survive the next second. Everything shown is text, never markup.
 */
export class KeyedRows {
  readonly #body: HTMLTableSectionElement;
  readonly #written = new WeakMap<HTMLTableCellElement, string>();
  #rows = new Map<string, HTMLTableRowElement>();

  constructor(table: HTMLTableElement) {
    this.#body = table.tBodies[0] ?? table.createTBody();
  }

  show(rows: readonly Row[]): void {
    const kept = new Map<string, HTMLTableRowElement>();
    for (const { key } of rows) kept.set(key, this.#rows.get(key) ?? document.createElement('tr'));
    for (const [key, row] of this.#rows) if (!kept.has(key)) row.remove();
    for (const [index, { key, state, cells }] of rows.entries()) {
      const row = kept.get(key) as HTMLTableRowElement;
      if (row.dataset['key'] !== key) row.dataset['key'] = key;
      if (state !== undefined && row.dataset['state'] !== state) row.dataset['state'] = state;
      for (const [at, cell] of cells.entries()) this.#write(row, at, cell);
      if (this.#body.rows[index] !== row) this.#body.insertBefore(row, this.#body.rows[index] ?? null);
    }
    this.#rows = kept;
  }

  #write(row: HTMLTableRowElement, at: number, cell: Cell | string): void {
    const element = row.cells[at] ?? row.appendChild(this.#cell(at));
    const written = JSON.stringify(cell);
    if (this.#written.get(element) === written) return;
    this.#written.set(element, written);
    const { text, number, small, title, tone, progress, buttons }: Cell =
      typeof cell === 'string' ? { text: cell } : cell;
    element.className = [number && 'number', progress && 'metered', tone].filter(Boolean).join(' ');
    element.title = title ?? '';
    if (progress) element.replaceChildren(make('div', {}, meter(progress), make('span', {}, text)));
    else element.replaceChildren(plainText(text));
    if (small) element.append(make('small', {}, small));
    for (const button of buttons ?? []) element.append(actionButton(button));
  }

  /** The first cell names its row. */
  #cell(at: number): HTMLTableCellElement {
    const element = document.createElement(at === 0 ? 'th' : 'td');
    if (at === 0) element.scope = 'row';
    return element;
  }
}

function meter({ share, label }: NonNullable<Cell['progress']>): HTMLElement {
  const element = make('progress');
  element.max = 1;
  element.value = share;
  element.setAttribute('aria-label', label);
  return element;
}

function actionButton({ action, text, label }: NonNullable<Cell['buttons']>[number]): HTMLElement {
  const element = make('button', {}, text);
  element.type = 'button';
  element.dataset['action'] = action;
  element.setAttribute('aria-label', label);
  return element;
}
