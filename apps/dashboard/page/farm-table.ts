import { find, make, write } from './elements.ts';
import { KeyedRows, type Row } from './keyed-rows.ts';
import { exactNumber } from './numerals.ts';

/** A table of index.html with at most so many rows, what stands for an empty one, and how many more there are. */
export class FarmTable {
  readonly table: HTMLTableElement;
  readonly #rows: KeyedRows;
  readonly #maxRows: number;
  readonly #empty: HTMLElement;
  readonly #more = make('p', { className: 'more' });
  readonly #count: HTMLElement;

  constructor(name: string, maxRows: number) {
    this.table = find<HTMLTableElement>(`[data-table="${name}"]`);
    const section = this.table.closest('section') as HTMLElement;
    this.#rows = new KeyedRows(this.table);
    this.#maxRows = maxRows;
    this.#empty = find('.empty', section);
    this.#count = find('.count', section);
    this.#more.hidden = true;
    section.append(this.#more);
  }

  /** `all`: how many there are, where not all of them are told; `open`: how many of those without number are open. */
  show(rows: readonly Row[], all: number = rows.length, open?: number): void {
    const shown = rows.slice(0, this.#maxRows);
    this.#rows.show(shown);
    (this.table.parentElement as HTMLElement).hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
    const more = Math.max(all, rows.length) - shown.length;
    this.#more.hidden = more <= 0 || rows.length === 0;
    write(this.#more, open === undefined ? `and ${exactNumber(more)} more` : 'and older ones');
    const count = open === undefined ? exactNumber(Math.max(all, rows.length)) : `${exactNumber(open)} open`;
    write(this.#count, rows.length === 0 ? '' : count);
  }
}
