// Start: reads the data and fills the places that the HTML has left for it.

document.documentElement.classList.remove('no-script');
const page = JSON.parse(document.getElementById('data').textContent);
const metrics = page.metrics.map((key) => page.moduleColumns.find((column) => column.key === key));

page.models.forEach((model, index) => {
  const at = (kind) => document.querySelector(`.${kind}[data-model="${index}"]`);
  const filter = listing(at('operators'), page.columns, model.ops, `Operators of ${model.name}`, 'operators');
  icicle(at('icicle'), model, metrics, index, filter);
  roofline(at('roofline'), model, page.columns);
  const modules = at('modules');
  // Made when it is opened: few readers look at it, and large models have thousands of rows.
  const fill = () => {
    if (!modules.firstChild) listing(modules, page.moduleColumns, model.modules, `Modules of ${model.name}`, 'modules');
  };
  modules.closest('details').addEventListener('toggle', fill);
});

const theme = document.getElementById('theme');
const prefers = window.matchMedia('(prefers-color-scheme: dark)');
const KEY = 'macprof-theme';

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // A browser may refuse to keep anything of a file.
  }
}

function paint(dark, chosen) {
  document.documentElement.style.colorScheme = chosen ? (dark ? 'dark' : 'light') : '';
  theme.setAttribute('aria-pressed', String(dark));
}

theme.hidden = false;
const kept = remembered();
paint(kept ? kept === 'dark' : prefers.matches, Boolean(kept));
prefers.addEventListener('change', () => {
  if (!remembered()) paint(prefers.matches, false);
});
theme.addEventListener('click', () => {
  const dark = theme.getAttribute('aria-pressed') !== 'true';
  paint(dark, true);
  try {
    localStorage.setItem(KEY, dark ? 'dark' : 'light');
  } catch {
    // It is dark until the page is closed.
  }
});

// What can be opened on a screen stands open on paper; the long tables of modules stay out of it.
let opened = [];
window.addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('details:not([open])')].filter((each) => !each.querySelector('.modules'));
  for (const each of opened) each.open = true;
});
window.addEventListener('afterprint', () => {
  for (const each of opened) each.open = false;
});
