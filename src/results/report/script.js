'use strict';
// Heads of tables sort, and entries of legends switch their series on and off. On paper nothing can be unfolded, so all of it is
// while the page prints. Without this the page reads the same.

function sorted(rows, column, direction) {
  const key = (row) => {
    const cell = row.cells[column];
    const text = cell ? cell.textContent.trim() : '';
    return text === '' ? null : cell.dataset.v !== undefined ? Number(cell.dataset.v) : text;
  };
  const keyed = rows.map((row, place) => ({row, place, key: key(row)}));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;  // blanks last
    const order = typeof a.key === 'number' && typeof b.key === 'number' ? a.key - b.key
        : String(a.key).localeCompare(String(b.key), undefined, {numeric: true});
    return direction * order || a.place - b.place;
  });
  return keyed.map((entry) => entry.row);
}

function makeSortable(table) {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    if (head.textContent === '') return;
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      table.tBodies[0].append(...sorted(Array.from(table.tBodies[0].rows), column, down ? -1 : 1));
    });
  });
}

function makeSwitch(entry) {
  const figure = entry.closest('figure');
  const button = document.createElement('button');
  button.type = 'button';
  button.setAttribute('aria-pressed', 'true');
  button.append(...entry.childNodes);
  entry.append(button);
  button.addEventListener('click', () => {
    const shown = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(shown));
    for (const part of figure.querySelectorAll(`[data-series="${entry.dataset.series}"]`)) {
      if (part !== entry) part.toggleAttribute('data-hidden', !shown);
    }
  });
}

const unfolded = [];
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details:not([open])')) {
    details.open = true;
    unfolded.push(details);
  }
});
addEventListener('afterprint', () => {
  for (const details of unfolded.splice(0)) details.open = false;
});

document.querySelectorAll('table.sortable').forEach(makeSortable);
document.querySelectorAll('.legend li').forEach(makeSwitch);
