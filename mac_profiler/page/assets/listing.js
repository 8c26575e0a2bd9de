// Listing: a table that is sorted by its headers and filtered by typing; thousands of rows are shown piece by piece.

const STEP = 200;
let listings = 0;

// What is shown as ×, and read as x in many a shape that a user types.
const plain = (words) => words.toLowerCase().replaceAll('×', 'x');

// columns: {key, title, unit}; rows: arrays in their order, paths of modules first. Returns a function that shows what is
// in one module.
function listing(place, columns, rows, caption, noun) {
  const id = `listing-${(listings += 1)}`;
  const long = columns.map((column) => ['inputs', 'outputs'].includes(column.key));
  const numeric = columns.map((column) => NUMERIC.includes(column.unit));
  const searched = rows.map((row) => plain([row[0] || '(model)', ...row.filter((_, i) => i && !numeric[i])].join('\n')));
  let order = rows.map((_, i) => i);
  let kept = order;
  let sorted = null; // {column, down}
  let shown = STEP;
  let module = ''; // that all shown rows are in

  const box = make('input', { type: 'search', id: `${id}-filter`, autocomplete: 'off', spellcheck: 'false' });
  const inside = make('button', { type: 'button', hidden: true });
  const status = make('p', { role: 'status', class: 'status' });
  const body = make('tbody');
  const heads = columns.map((column, i) => {
    const button = make('button', { type: 'button' }, column.title, make('span', { 'aria-hidden': 'true', class: 'arrow' }));
    button.addEventListener('click', () => sortBy(i));
    const attributes = { scope: 'col', 'aria-sort': 'none', class: numeric[i] ? 'number' : column.key, 'data-title': column.title };
    return make('th', attributes, button);
  });
  const number = make('th', { scope: 'col', class: 'number', 'data-title': '#' }, make('button', { type: 'button' }, '#'));
  number.firstChild.addEventListener('click', () => sortBy(null));
  const more = make('button', { type: 'button', class: 'more' });
  const all = make('button', { type: 'button', class: 'more' }, 'Show all');
  const table = make(
    'table',
    { class: 'listing' },
    make('caption', {}, caption),
    make('thead', {}, make('tr', {}, number, ...heads)),
    body,
  );
  const region = make('div', { class: 'scroll tall', tabindex: 0, role: 'region', 'aria-label': caption }, table);
  place.append(
    make('p', { class: 'filter' }, make('label', { for: box.id }, `Filter ${noun} `), box, ' ', inside),
    status,
    region,
    make('p', { class: 'hint only-print' }),
    make('p', {}, more, ' ', all),
  );

  function line(index) {
    const cells = rows[index].map((value, i) => {
      const said = value === '' ? '' : text(columns[i].unit, value);
      // Every digit of a count, and all of a name that its cell may cut off.
      const whole = columns[i].unit === 'count' && value >= 1000 ? value.toLocaleString('en') : i === 0 ? value : null;
      const kind = numeric[i] ? 'number' : long[i] ? `long ${columns[i].key}` : columns[i].key;
      const attributes = { scope: i === 0 ? 'row' : null, class: kind, title: whole || null };
      return make(i === 0 ? 'th' : 'td', attributes, i === 0 && value === '' ? '(model)' : said);
    });
    return make('tr', {}, make('td', { class: 'number' }, String(index + 1)), ...cells);
  }

  function draw() {
    const visible = kept.slice(0, shown);
    body.replaceChildren(...visible.map(line));
    const left = kept.length - visible.length;
    status.textContent = `${kept.length.toLocaleString('en')} of ${rows.length.toLocaleString('en')} ${noun}` +
      (left ? `, the first ${visible.length} shown` : '');
    more.hidden = all.hidden = left === 0;
    more.textContent = `Show ${Math.min(STEP, left)} more`;
    place.querySelector('.only-print').textContent = left ? `${left} more ${noun} are in the file, not on paper.` : '';
  }

  function filter() {
    const words = plain(box.value).split(/\s+/).filter(Boolean);
    const within = (path) => !module || path === module || path.startsWith(`${module}.`);
    kept = order.filter((i) => within(rows[i][0]) && words.every((word) => searched[i].includes(word)));
    inside.hidden = !module;
    inside.textContent = `Only in ${module}: show all`;
    shown = STEP;
    draw();
  }

  // Largest first where it is a number; once more turns it round. What is unknown comes last.
  function sortBy(column) {
    const down = sorted && sorted.column === column ? !sorted.down : column !== null && numeric[column];
    sorted = column === null ? null : { column, down };
    order = rows.map((_, i) => i);
    if (sorted) {
      const sign = down ? -1 : 1;
      const missing = (value) => value === null || value === '';
      order.sort((a, b) => {
        const [x, y] = [rows[a][column], rows[b][column]];
        if (missing(x) || missing(y)) return missing(x) - missing(y);
        return x < y ? -sign : x > y ? sign : 0;
      });
    }
    heads.forEach((head, i) => {
      head.setAttribute('aria-sort', !sorted || i !== column ? 'none' : down ? 'descending' : 'ascending');
    });
    filter();
  }

  let waiting = 0;
  box.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 60);
  });
  inside.addEventListener('click', () => {
    module = '';
    filter();
    box.focus();
  });
  // A button that hides itself takes the focus with it.
  function showMore(count) {
    shown = count;
    draw();
    if (more.hidden) region.focus({ preventScroll: true });
  }
  more.addEventListener('click', () => showMore(shown + STEP));
  all.addEventListener('click', () => showMore(rows.length));
  draw();
  return (path) => {
    module = path;
    box.value = '';
    filter();
    box.scrollIntoView({ block: 'start' });
    box.focus({ preventScroll: true });
  };
}
