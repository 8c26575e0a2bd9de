// Roofline: operators by FLOPs a byte and FLOPs a second, below what the platform can do.

const HEIGHT = 400;
const PAPER = 680; // pixels of a line on A4
const MARGIN = { left: 76, right: 18, top: 14, bottom: 48 };
const KINDS = 8; // that have a mark of their own; the ninth and later share one
const MARKS = [
  (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`,
  (r) => `M${-0.89 * r},${-0.89 * r}h${1.78 * r}v${1.78 * r}h${-1.78 * r}z`,
  (r) => `M0,${-1.25 * r}L${1.17 * r},${0.78 * r}H${-1.17 * r}z`,
  (r) => `M0,${-1.25 * r}L${1.25 * r},0L0,${1.25 * r}L${-1.25 * r},0z`,
  (r) => `M0,${1.25 * r}L${1.17 * r},${-0.78 * r}H${-1.17 * r}z`,
  (r) => `M${-r / 2},${-r}h${r}v${r / 2}h${r / 2}v${r}h${-r / 2}v${r / 2}h${-r}v${-r / 2}h${-r / 2}v${-r}h${r / 2}z`,
];

function roofline(place, model, columns) {
  const at = (key) => columns.findIndex((column) => column.key === key);
  const [path, target, outputs] = [at('path'), at('target'), at('outputs')];
  const total = model.points.reduce((sum, [, , , , seconds]) => sum + seconds, 0);
  const points = model.points.map(([op, kind, flops, moved, seconds]) => {
    return { op, kind, flops, moved, seconds, x: flops / moved, y: flops / seconds, share: seconds / total };
  });
  const sums = new Map();
  for (const point of points) sums.set(point.kind, (sums.get(point.kind) || 0) + point.seconds);
  const kinds = [...sums.keys()].sort((a, b) => sums.get(b) - sums.get(a));
  const look = (kind) => Math.min(kinds.indexOf(kind), KINDS);
  const hidden = new Set();

  if (!points.length) {
    place.append(make('p', {}, 'No operator has a predicted time and FLOPs: there is nothing to draw.'));
    return;
  }
  const holder = make('div', { class: 'plot' });
  const tip = make('div', { class: 'tip', hidden: true });
  const legend = make('div', { class: 'legend-kinds', role: 'group', 'aria-label': 'Kinds of work that are shown' });
  kinds.forEach((kind, i) => {
    const picture = make('svg', { width: 16, height: 16, viewBox: '-8 -8 16 16', 'aria-hidden': 'true' });
    picture.append(make('path', { d: MARKS[look(kind) % MARKS.length](5), class: `mark kind-${look(kind)}` }));
    const button = make('button', { type: 'button', 'aria-pressed': 'true' }, picture, kind);
    button.addEventListener('click', () => {
      if (!hidden.delete(kind)) hidden.add(kind);
      button.setAttribute('aria-pressed', String(!hidden.has(kind)));
      draw();
    });
    legend.append(button);
  });
  place.append(legend, holder);

  // Operators that are alike stand at one place.
  const heap = (point) => `${point.x} ${point.y}`;
  const heaps = new Map();
  for (const point of points) heaps.set(heap(point), (heaps.get(heap(point)) || 0) + 1);

  function told(point) {
    const row = model.ops[point.op];
    const others = heaps.get(heap(point)) - 1;
    return [
      `${row[path] || '(model)'}`,
      `${row[target]}, ${point.kind}, output ${row[outputs]}`,
      `${text('count', point.y)}FLOP/s at ${point.x.toPrecision(3)} FLOPs a byte`,
      `${text('seconds', point.seconds)}, ${text('share', point.share)} of the time`,
      `${text('count', point.flops)} FLOPs, ${text('bytes', point.moved)}`,
      ...(others ? [`and ${others} more just here`] : []),
    ];
  }

  function draw(wanted) {
    const width = wanted || Math.max(holder.clientWidth || 900, 280);
    const [inner, height] = [width - MARGIN.left - MARGIN.right, HEIGHT - MARGIN.top - MARGIN.bottom];
    const roofs = Object.entries(model.bandwidths);
    const ridge = roofs.length && model.peak ? model.peak / Math.min(...roofs.map(([, value]) => value)) : 1;
    const spread = (values, low, high) => [Math.log10(Math.min(...values)) - low, Math.log10(Math.max(...values)) + high];
    const xs = spread([...points.map((point) => point.x), ridge], 0.25, 0.45);
    const ys = spread([...points.map((point) => point.y), ...(model.peak ? [model.peak] : [])], 0.25, 0.3);
    const x = (value) => MARGIN.left + ((Math.log10(value) - xs[0]) / (xs[1] - xs[0])) * inner;
    const y = (value) => MARGIN.top + (1 - (Math.log10(value) - ys[0]) / (ys[1] - ys[0])) * height;
    const svg = make('svg', { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: 'group',
      'aria-label': `${points.length} marks under the roofline` });
    const axes = make('g', { 'aria-hidden': 'true' });
    const label = (content, left, top, anchor, kind = 'tick') => {
      return make('text', { x: left, y: top, 'text-anchor': anchor, class: kind }, content);
    };
    const decades = ([low, high]) => {
      const step = Math.max(1, Math.ceil((high - low) / 9));
      const first = Math.ceil(low);
      return Array.from({ length: Math.max(0, Math.floor((high - first) / step) + 1) }, (_, i) => 10 ** (first + i * step));
    };
    for (const tick of decades(xs)) {
      axes.append(make('line', { x1: x(tick), x2: x(tick), y1: MARGIN.top, y2: MARGIN.top + height, class: 'grid' }));
      axes.append(label(Number(tick.toPrecision(1)).toLocaleString('en', { maximumFractionDigits: 9 }), x(tick), MARGIN.top + height + 17, 'middle'));
    }
    for (const tick of decades(ys)) {
      axes.append(make('line', { x1: MARGIN.left, x2: MARGIN.left + inner, y1: y(tick), y2: y(tick), class: 'grid' }));
      const [amount, prefix] = [tick / 1000 ** Math.floor(Math.log10(tick) / 3 + 1e-9), text('count', tick).split(' ')[1]];
      axes.append(label(`${Math.round(amount)} ${prefix || ''}`.trim(), MARGIN.left - 8, y(tick) + 4, 'end'));
    }
    axes.append(label('FLOPs a byte moved', MARGIN.left + inner / 2, HEIGHT - 8, 'middle', 'axis'));
    const side = label('FLOP/s', 0, 0, 'middle', 'axis');
    side.setAttribute('transform', `translate(16 ${MARGIN.top + height / 2}) rotate(-90)`);
    axes.append(side);
    const [left, right] = [10 ** xs[0], 10 ** xs[1]];
    roofs.forEach(([name, bandwidth], i) => {
      if (!model.peak) return;
      const start = Math.max(left, 10 ** ys[0] / bandwidth);
      const corner = model.peak / bandwidth;
      const line = [[start, bandwidth * start], ...(corner > start ? [[corner, model.peak]] : []), [right, model.peak]];
      const drawn = line.map(([a, b]) => `${x(a)},${y(Math.min(b, model.peak))}`).join(' ');
      axes.append(make('polyline', { points: drawn, class: `roof roof-${i}` }));
      // Written along the slope, above it.
      const angle = (Math.atan2(y(bandwidth) - y(bandwidth * 10), x(10) - x(1)) * -180) / Math.PI;
      const middle = Math.sqrt(start * Math.max(corner, start));
      const written = label(`${name}, ${text('count', bandwidth)}B/s`, 0, i ? 15 : -7, 'middle', 'roof-name');
      written.setAttribute('transform', `translate(${x(middle)} ${y(bandwidth * middle)}) rotate(${angle})`);
      axes.append(written);
    });
    if (model.peak) {
      axes.append(label(`${text('count', model.peak)}FLOP/s`, MARGIN.left + inner, y(model.peak) - 7, 'end', 'roof-name'));
    }
    svg.append(axes);
    const visible = points.filter((point) => !hidden.has(point.kind)).sort((a, b) => b.share - a.share);
    const scale = Math.min(1, width / 800);
    const marks = visible.map((point) => {
      const radius = Math.sqrt(Math.max(22, 1800 * scale * point.share) / Math.PI);
      const mark = make('path', {
        d: MARKS[look(point.kind) % MARKS.length](radius), transform: `translate(${x(point.x)} ${y(point.y)})`,
        class: `mark kind-${look(point.kind)}`, tabindex: -1, role: 'img', 'aria-label': told(point).join('; '),
      });
      const show = () => {
        const [name, ...rest] = told(point);
        tip.replaceChildren(make('strong', {}, name), ...rest.map((line) => make('span', {}, line)));
        tip.hidden = false;
        const room = width - tip.offsetWidth - 4;
        tip.style.left = `${Math.max(0, Math.min(room, x(point.x) + 14))}px`;
        const above = y(point.y) - tip.offsetHeight - 14;
        tip.style.top = `${above > 0 ? above : y(point.y) + 18}px`;
      };
      mark.addEventListener('pointerenter', show);
      mark.addEventListener('focus', show);
      mark.addEventListener('pointerleave', () => { tip.hidden = true; });
      mark.addEventListener('blur', () => { tip.hidden = true; });
      return [mark, point];
    });
    // The largest are drawn first, so that none hides a smaller one; arrow keys go from left to right.
    svg.append(...marks.map(([mark]) => mark));
    const inOrder = [...marks].sort(([, a], [, b]) => a.x - b.x || a.y - b.y).map(([mark]) => mark);
    if (inOrder.length) inOrder[0].setAttribute('tabindex', 0);
    svg.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') tip.hidden = true;
      const move = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      const place = inOrder.indexOf(document.activeElement);
      const next = move && inOrder[place + move];
      if (move) event.preventDefault();
      if (!next) return;
      inOrder[place].setAttribute('tabindex', -1);
      next.setAttribute('tabindex', 0);
      next.focus();
    });
    tip.hidden = true;
    holder.replaceChildren(svg, tip);
  }

  let last = 0;
  new ResizeObserver(() => {
    if (holder.clientWidth !== last) draw();
    last = holder.clientWidth;
  }).observe(holder);
  draw();
  // A picture of a wide screen would be too small to read on paper.
  window.addEventListener('beforeprint', () => draw(PAPER));
  window.addEventListener('afterprint', () => draw());
}
