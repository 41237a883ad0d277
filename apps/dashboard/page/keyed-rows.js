/**
 * Table rows that stay: a row keeps its element while its key is there, and only text that changed
 * is written, so a selection survives the next second. Everything shown is text, never markup.
 */
export class KeyedRows {
  #body;
  #rows = new Map();

  constructor(table) {
    this.#body = table.tBodies[0];
  }

  /**
   * `rows`: `{ key, cells }` in order. A cell is text, or `{ text, number, warn, small }`:
   * `number` stands right, `warn` stands out, `small` is a second line.
   */
  show(rows) {
    const kept = new Map();
    for (const [index, { key, cells }] of rows.entries()) {
      const row = this.#rows.get(key) ?? document.createElement('tr');
      kept.set(key, row);
      writeCells(row, cells);
      if (this.#body.rows[index] !== row) this.#body.insertBefore(row, this.#body.rows[index] ?? null);
    }
    for (const [key, row] of this.#rows) if (!kept.has(key)) row.remove();
    this.#rows = kept;
  }
}

function writeCells(row, cells) {
  for (const [index, cell] of cells.entries()) {
    const {
      text,
      number = false,
      warn = false,
      small = '',
    } = typeof cell === 'string' ? { text: cell } : cell;
    const element = row.cells[index] ?? row.insertCell();
    const written = JSON.stringify([text, number, warn, small]);
    if (element.written === written) continue;
    element.written = written;
    element.className = [number && 'number', warn && 'warn'].filter(Boolean).join(' ');
    element.textContent = text;
    if (small) {
      const line = document.createElement('small');
      line.textContent = small;
      element.append(line);
    }
  }
}
