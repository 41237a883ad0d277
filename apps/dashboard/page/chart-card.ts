import { find, make, write } from './elements.ts';

export interface LegendEntry {
  /** Also the colour of its key. */
  readonly name: string;
  readonly label: string;
  readonly title?: string;
  readonly value?: string | undefined;
  /** How the key looks: a filled area, a line, a dashed line, a dot or a ring. */
  readonly key?: 'area' | 'line' | 'dashed' | 'dot' | 'ring';
}

export interface TableOfNumbers {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The frame of a chart in index.html: legend, what stands where there is nothing, and its numbers as a table. */
export class ChartCard {
  readonly plot = make('div', { className: 'plot' });
  readonly #section: HTMLElement;
  readonly #legend = make('ul', { className: 'legend' });
  readonly #moment = make('span', { className: 'moment' });
  readonly #empty = make('p', { className: 'empty' });
  readonly #details = make('details', { className: 'numbers' }, make('summary', {}, 'Numbers'));
  readonly #table = make('table');
  #numbers: (() => TableOfNumbers) | undefined;

  constructor(name: string) {
    this.#section = find(`[data-chart="${name}"]`);
    this.plot.setAttribute('role', 'img');
    const title = find('h3', this.#section);
    const caption = make('caption', { className: 'unseen' }, title.textContent ?? '');
    this.#table.append(caption, make('thead'), make('tbody'));
    const scroller = make('div', { className: 'scroller' }, this.#table);
    scroller.tabIndex = 0;
    scroller.setAttribute('role', 'region');
    scroller.setAttribute('aria-label', `${title.textContent}: numbers`);
    this.#details.append(scroller);
    this.#details.addEventListener('toggle', () => this.#writeNumbers());
    title.after(this.#moment);
    this.#section.append(
      this.#legend,
      make('div', { className: 'stage' }, this.plot, this.#empty),
      this.#details,
    );
    this.#empty.hidden = true;
  }

  get isDrawn(): boolean {
    return 'ready' in this.#section.dataset;
  }

  /** For charts that are drawn by hand. */
  setReady(): void {
    this.#section.dataset['ready'] = '';
  }

  /** `summary` is what a screen reader says of the picture; `numbers` are written while they are looked at. */
  tell(summary: string, numbers: () => TableOfNumbers): void {
    this.plot.setAttribute('aria-label', summary);
    this.#numbers = numbers;
    this.#writeNumbers();
  }

  /** When the values of the legend were. */
  setMoment(text: string): void {
    write(this.#moment, text);
  }

  /** What is said in place of a picture; undefined shows the picture. */
  setEmpty(...words: readonly (Node | string)[]): void {
    const isEmpty = words.length > 0;
    this.#section.classList.toggle('is-empty', isEmpty);
    if (this.#empty.hidden === !isEmpty) return;
    this.#empty.hidden = !isEmpty;
    this.#empty.replaceChildren(...words);
  }

  setLegend(entries: readonly LegendEntry[]): void {
    while (this.#legend.children.length > entries.length) this.#legend.lastElementChild?.remove();
    for (const [index, { name, label, title, value, key = 'line' }] of entries.entries()) {
      const item = this.#legend.children[index] ?? this.#legend.appendChild(legendItem());
      find('i', item).className = `key ${key} ${name}`;
      const words = find('.label', item);
      write(words, label);
      words.title = title ?? '';
      write(find('b', item), value ?? '');
    }
  }

  #writeNumbers(): void {
    if (!this.#details.open || !this.#numbers) return;
    const { head, rows } = this.#numbers();
    const [headSection, body] = [this.#table.tHead, this.#table.tBodies[0]];
    headSection?.replaceChildren(make('tr', {}, ...head.map((text) => headCell(text, 'col'))));
    body?.replaceChildren(
      ...rows.map(([first = '', ...rest]) =>
        make('tr', {}, headCell(first, 'row'), ...rest.map((text) => make('td', {}, text))),
      ),
    );
  }
}

function legendItem(): HTMLElement {
  return make('li', {}, make('i'), make('span', { className: 'label' }), ' ', make('b'));
}

function headCell(text: string, scope: 'col' | 'row'): HTMLElement {
  const cell = make('th', {}, text);
  cell.scope = scope;
  return cell;
}
