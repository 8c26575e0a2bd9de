// Icicle: modules as bars, each below the module that it is in, as wide as its share.

const ROW = 28;
const LABEL = 42; // pixels below which a bar has no label
const THIN = 4; // pixels below which it has no border at its sides

function tree(rows) {
  const nodes = new Map();
  for (const [path, type, calls, multAdds, accesses, seconds, parameters] of rows) {
    const cut = path.lastIndexOf('.');
    const parent = path === '' ? null : nodes.get(path.slice(0, Math.max(cut, 0)));
    const values = { mult_adds: multAdds, accesses, predicted_seconds: seconds };
    const node = { path, name: path.slice(cut + 1), type, calls, parameters, values, parent, children: [] };
    node.level = parent ? parent.level + 1 : 0;
    if (parent) parent.children.push(node);
    // A module with most of the operators is a frame around the parts, and these are what is to be told apart.
    const frame = parent && parent.calls > nodes.get('').calls / 2;
    node.tone = !parent ? 'root' : frame ? `tone-${parent.children.length % 6}` : parent.tone;
    nodes.set(path, node);
  }
  return nodes;
}

function icicle(place, model, metrics, index, listOperators) {
  const nodes = tree(model.modules);
  const root = nodes.get('');
  root.name = model.name;
  let metric = metrics[0].key;
  let zoomed = root;
  let current = root;

  const bars = make('div', { class: 'bars' });
  const detail = make('p', { class: 'detail' });
  const narrow = make('p', { class: 'hint' });
  const out = make('button', { type: 'button' }, 'Zoom out');
  const list = make('button', { type: 'button' }, 'List its operators');
  const choice = make('fieldset', {}, make('legend', {}, 'Width'));
  for (const each of metrics) {
    const radio = make('input', { type: 'radio', name: `metric-${index}`, value: each.key, checked: each.key === metric });
    radio.addEventListener('change', () => {
      metric = each.key;
      draw();
    });
    choice.append(make('label', {}, radio, ` ${each.title}`));
  }
  place.append(choice, bars, narrow, detail, make('p', { class: 'actions' }, out, ' ', list));
  out.addEventListener('click', () => {
    zoom(zoomed.parent || root);
    // It is disabled where there is nothing further out, and would take the focus with it.
    if (out.disabled) focus(root);
  });
  list.addEventListener('click', () => listOperators(current.path));

  const share = (node, key) => (root.values[key] ? node.values[key] / root.values[key] : 0);

  function told(node) {
    const figures = metrics.map((each) => {
      return `${each.title} ${text(each.unit, node.values[each.key])} (${text('share', share(node, each.key))})`;
    });
    const type = node.type ? `, ${node.type}` : '';
    return `${node.path || node.name}${type}: ${figures.join(', ')}, ${node.calls} ${node.calls === 1 ? 'operator' : 'operators'}, ` +
      `${text('count', node.parameters)} parameters`;
  }

  function choose(node) {
    current = node;
    detail.textContent = told(node);
    list.disabled = node.calls === 0;
    for (const bar of bars.children) bar.tabIndex = bar.dataset.path === node.path ? 0 : -1;
  }

  function bar(node, left, width, pixels) {
    const label = `${node.name}: ${told(node)}`;
    const made = make('button', { type: 'button', class: `bar ${node.tone}`, 'aria-label': label, tabindex: -1 });
    if (width * pixels >= LABEL) made.textContent = node.name;
    if (width * pixels < THIN) made.classList.add('thin');
    made.dataset.path = node.path;
    made.style.left = `${100 * left}%`;
    made.style.width = `${100 * width}%`;
    made.style.top = `${node.level * ROW}px`;
    made.addEventListener('click', () => zoom(node === zoomed ? node.parent || root : node));
    made.addEventListener('focus', () => choose(node));
    made.addEventListener('pointerenter', () => {
      detail.textContent = told(node);
    });
    return made;
  }

  function draw() {
    const pixels = bars.clientWidth || 900;
    const found = [];
    let deepest = 0;
    for (let above = zoomed.parent; above; above = above.parent) found.unshift(bar(above, 0, 1, pixels));
    const whole = zoomed.values[metric];
    let hidden = 0;
    const modulesIn = (node) => node.children.reduce((sum, child) => sum + modulesIn(child), 1);
    // What is narrower than a pixel would be a line without a meaning.
    const visit = (node, left, width) => {
      if (width * pixels < 1) {
        hidden += modulesIn(node);
        return;
      }
      found.push(bar(node, left, width, pixels));
      deepest = Math.max(deepest, node.level);
      let start = left;
      for (const child of node.children) {
        const part = node.values[metric] ? (child.values[metric] / node.values[metric]) * width : 0;
        visit(child, start, part);
        start += part;
      }
    };
    visit(zoomed, 0, 1);
    bars.replaceChildren(...found);
    bars.style.height = `${(deepest + 1) * ROW}px`;
    const word = hidden === 1 ? 'module is' : 'modules are';
    narrow.textContent = hidden ? `${hidden.toLocaleString('en')} ${word} narrower than a pixel here, and not drawn.` : '';
    out.disabled = zoomed === root;
    choose([...bars.children].some((each) => each.dataset.path === current.path) ? current : zoomed);
    if (!whole) detail.textContent = `${told(zoomed)}. There is nothing to divide.`;
  }

  function zoom(node) {
    const focused = bars.contains(document.activeElement);
    zoomed = node;
    current = node;
    draw();
    if (focused) focus(node);
  }

  function focus(node) {
    const found = node && [...bars.children].find((each) => each.dataset.path === node.path);
    if (found) found.focus();
  }

  bars.addEventListener('pointerleave', () => {
    detail.textContent = told(current);
  });
  bars.addEventListener('keydown', (event) => {
    const node = current;
    const level = [...bars.children].filter((each) => nodes.get(each.dataset.path).level === node.level);
    const position = level.findIndex((each) => each.dataset.path === node.path);
    const drawn = (each) => [...bars.children].some((made) => made.dataset.path === each.path);
    const targets = {
      ArrowRight: () => level[position + 1] && nodes.get(level[position + 1].dataset.path),
      ArrowLeft: () => level[position - 1] && nodes.get(level[position - 1].dataset.path),
      ArrowDown: () => node.children.find(drawn),
      ArrowUp: () => node.parent,
      Home: () => root,
    };
    if (event.key === 'Escape' && zoomed !== root) {
      zoom(zoomed.parent);
    } else if (targets[event.key]) {
      event.preventDefault();
      focus(targets[event.key]());
    }
  });
  let last = 0;
  new ResizeObserver(() => {
    if (bars.clientWidth !== last) draw();
    last = bars.clientWidth;
  }).observe(bars);
  draw();
}
