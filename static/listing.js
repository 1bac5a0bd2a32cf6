// Filters, sorts, walks the listing; its state: `#sort=-size&filter=photo`.
'use strict';
const body = document.querySelector('tbody');
const heads = [...document.querySelectorAll('th')];
const keys = ['name', 'size', 'date'];
const { compare } = new Intl.Collator([], { numeric: true });
const up = body.querySelector('a[href="../"]');
const entries = [...body.rows].slice(up ? 1 : 0).map((row) => {
  const [cell, size, date] = row.cells;
  const name = cell.firstChild.textContent.toLowerCase();
  const bytes = parseInt(row.title || `0${size.textContent}`);
  return { row, name, isFile: !name.endsWith('/'), size: bytes, date: local(date) };
});
let sort = '';

const input = document.createElement('input');
Object.assign(input, { type: 'search', placeholder: 'Filter (/)', oninput: filter });
body.parentNode.before(input);

heads[2].textContent = 'Modified';
heads.forEach((head, column) => {
  const button = document.createElement('button');
  button.append(...head.childNodes);
  button.onclick = () => order((head.ariaSort === 'ascending' ? '-' : '') + keys[column]);
  head.append(button);
});

// In the reader's zone, as Swedes write it.
function local({ firstChild: time }) {
  if (!time) return 0;
  const at = new Date(time.dateTime);
  time.textContent = at.toLocaleString('sv').slice(0, 16);
  return at;
}

function filter() {
  const text = input.value.toLowerCase();
  for (const { row, name } of entries) row.hidden = !name.includes(text);
  keep();
}

function order(wanted) {
  const key = wanted.replace('-', '');
  const column = keys.indexOf(key);
  if (wanted === sort || column < 0) return;
  sort = wanted;
  const way = key === sort ? 1 : -1;
  const by = (a, b) => (column ? a[key] - b[key] : compare(a.name, b.name));
  entries.sort((a, b) => a.isFile - b.isFile || by(a, b) * way);
  body.append(...entries.map(({ row }) => row));
  for (const head of heads) head.ariaSort = null;
  heads[column].ariaSort = way > 0 ? 'ascending' : 'descending';
  keep();
}

function keep() {
  const state = new URLSearchParams({ ...(sort && { sort }), ...(input.value && { filter: input.value }) });
  history.replaceState(0, '', state.size ? '#' + state : location.pathname + location.search);
}

function read() {
  const state = new URLSearchParams(location.hash.slice(1));
  input.value = state.get('filter');
  order(state.get('sort') ?? (sort && 'name'));
  filter();
}

function walk(step) {
  const links = [...body.querySelectorAll('tr:not([hidden]) a')];
  if (up && input.value) links.shift();
  links[links.indexOf(document.activeElement) + step]?.focus();
}

onkeydown = (event) => {
  const { key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const isTyping = event.target === input;
  if (key === 'ArrowDown') walk(1);
  else if (key === 'ArrowUp') walk(-1);
  else if (key === '/' && !isTyping) input.focus();
  else if (key === 'Escape') filter((input.value = ''));
  else if (key === 'Backspace' && !isTyping && up) up.click();
  else return;
  event.preventDefault();
};
onhashchange = read;
read();
