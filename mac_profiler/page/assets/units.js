// Units: the same texts as mac_profiler/units.py; a test sets one beside the other.

const UNKNOWN = '?';
const TIMES = [['s', 1], ['ms', 1e-3], ['µs', 1e-6], ['ns', 1e-9]];
const NUMERIC = ['count', 'bytes', 'seconds', 'share', 'ratio', 'number'];

function digits(number) {
  const magnitude = Math.abs(number);
  return number.toFixed(magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0);
}

function scaled(number, step, names) {
  let value = Math.abs(number);
  let power = 0;
  while (power < names.length - 1 && Number(digits(value)) >= step) {
    value /= step;
    power += 1;
  }
  const text = power === 0 && Number.isInteger(value) ? String(value) : digits(value);
  return `${number < 0 ? '-' : ''}${text} ${names[power]}`.trimEnd();
}

const FORMATTERS = {
  count: (number) => scaled(number, 1000, ['', 'k', 'M', 'G', 'T', 'P', 'E']),
  bytes: (number) => scaled(number, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']),
  seconds: (duration) => {
    if (duration === 0) return '0 s';
    const found = TIMES.find(([, factor]) => Number((Math.abs(duration) / factor).toPrecision(3)) >= 1);
    const [name, factor] = found || TIMES[TIMES.length - 1];
    return `${digits(duration / factor)} ${name}`;
  },
  share: (fraction) => {
    if (Math.abs(fraction) > 0 && Math.abs(fraction) < 0.0005) return fraction > 0 ? '<0.1%' : '-<0.1%';
    return `${(100 * fraction).toFixed(1)}%`;
  },
  ratio: (quotient) => `${digits(quotient)}×`,
  number: (value) => value.toFixed(1),
  text: (value) => String(value),
};

function text(unit, value) {
  return value === null || value === undefined ? UNKNOWN : FORMATTERS[unit](value);
}

// An element; what is in it is put there as text, never as markup.
function make(name, attributes = {}, ...content) {
  const svg = ['svg', 'g', 'path', 'line', 'polyline', 'text', 'title'].includes(name);
  const made = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...content.filter((each) => each !== null && each !== undefined));
  return made;
}
