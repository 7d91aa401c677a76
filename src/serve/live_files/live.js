// The live page: requests progress.json every second, and live.json when an epoch has ended, and
// writes their contents into elements that exist from the start, so that the layout does not move.
'use strict';

const element = id => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
let run = null;        // live.json
let following = true;  // the slider stays at the newest epoch until it is moved

const percent = (v, digits = 1) => `${(100 * v).toFixed(digits)} %`;
const short = v => v === 0 ? '0' : Math.abs(v) >= 0.01 && Math.abs(v) < 1e4
  ? String(Number(v.toPrecision(3))) : v.toExponential(1);
function duration(seconds) {
  const s = Math.max(0, Math.round(seconds)), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return h ? `${h} h ${m} min` : m ? `${m} min ${s % 60} s` : `${s} s`;
}
function setText(id, text) {
  const at = element(id);
  if (at.textContent !== text) at.textContent = text;
}
function append(parent, tag, attributes = {}, text = null) {
  const svg = parent.namespaceURI === SVG || tag === 'svg';
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  return parent.appendChild(node);
}

// ---- charts -------------------------------------------------------------------------------------

// Returns a number of at least v whose quarters are round.
function roundUp(v) {
  if (!(v > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(v));
  return power * [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10].find(step => step * power >= v * 0.999999);
}

// series: [[class, values]]; values[i] belongs to epoch i + 1.
function chart(id, series, { top, format, best = null }) {
  const svg = element(id), left = 52, right = 448, bottom = 218, high = 12;
  svg.replaceChildren();
  const count = series[0][1].length;
  const epochs = Math.max(run.planned || 0, count, 2);
  const x = i => left + (right - left) * i / (epochs - 1);
  const y = v => bottom - (bottom - high) * Math.min(Math.max(v / top, 0), 1);
  for (let i = 0; i <= 4; i++) {
    const v = top * i / 4;
    append(svg, 'line', { class: 'grid', x1: left, x2: right, y1: y(v), y2: y(v) });
    append(svg, 'text', { x: left - 6, y: y(v) + 4, 'text-anchor': 'end' }, format(v));
  }
  const ticks = Math.min(epochs - 1, 5);
  for (let i = 0; i <= ticks; i++) {
    const epoch = Math.round(i * (epochs - 1) / ticks);
    append(svg, 'text', { x: x(epoch), y: 236, 'text-anchor': 'middle' }, epoch + 1);
  }
  append(svg, 'text', { x: (left + right) / 2, y: 254, 'text-anchor': 'middle' }, 'epoch');
  for (const [name, values] of series) {
    const points = values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(' ');
    append(svg, 'polyline', { class: name, points });
    if (count) append(svg, 'circle', { class: name, cx: x(count - 1), cy: y(values[count - 1]), r: 3 });
  }
  if (best !== null) append(svg, 'circle', { class: 'best', cx: x(best), cy: y(series[1][1][best]), r: 6 });
}

function charts() {
  const all = key => run.epochs.map(m => m[key]);
  const val = all('val_accuracy');
  const best = val.length ? val.indexOf(Math.max(...val)) : null;
  const losses = [...all('loss'), ...all('val_loss')];
  const plain = v => String(Number(v.toPrecision(3)));
  chart('accuracy-chart', [['train', all('accuracy')], ['validation', val]],
    { top: 1, format: v => percent(v, 0), best });
  chart('loss-chart', [['train', all('loss')], ['validation', all('val_loss')]],
    { top: roundUp(Math.max(...losses)), format: plain, best });
  chart('lr-chart', [['train', all('lr')]], { top: roundUp(Math.max(...all('lr'))), format: plain });
  chart('norm-chart', [['train', all('grad_norm')]],
    { top: roundUp(Math.max(...all('grad_norm'))), format: plain });
  if (best !== null) setText('best', `${percent(val[best])} (epoch ${best + 1})`);
  if (val.length) setText('accuracy', percent(val[val.length - 1]));
}

// ---- tables -------------------------------------------------------------------------------------

function recall() {
  const at = element('recall');
  if (at.children.length !== run.classes.length) {
    at.replaceChildren();
    for (const name of run.classes) {
      const row = append(at, 'div');
      append(row, 'span', {}, name);
      const track = append(row, 'div', { class: 'track' });
      append(track, 'div', { class: 'fill' });
      append(append(track, 'svg', { class: 'spark', viewBox: '0 0 100 100', preserveAspectRatio: 'none' }),
        'polyline', { class: 'validation', 'vector-effect': 'non-scaling-stroke' });
      append(row, 'output', {}, '–');
    }
  }
  const history = run.recall;
  if (!history.length) return;
  const epochs = Math.max(run.planned || 0, history[history.length - 1][0], 2);
  [...at.children].forEach((row, c) => {
    const last = history[history.length - 1][1][c];
    row.querySelector('.fill').style.width = `${100 * last}%`;
    row.querySelector('output').textContent = percent(last, 0);
    const point = ([epoch, values]) => `${100 * (epoch - 1) / (epochs - 1)},${100 - 100 * values[c]}`;
    row.querySelector('polyline').setAttribute('points', history.map(point).join(' '));
  });
}

function confusion() {
  const at = element('confusion'), names = run.classes;
  if (at.rows.length !== names.length + 1) {
    at.replaceChildren();
    const head = append(at, 'tr');
    append(head, 'th', {}, '');
    names.forEach(name => append(head, 'th', { title: name }, name));
    for (const name of names) {
      const row = append(at, 'tr');
      append(row, 'th', {}, name);
      names.forEach(() => append(row, 'td', {}, ''));
    }
  }
  run.confusion.forEach((counts, i) => {
    const total = Math.max(1, counts.reduce((a, b) => a + b, 0));
    counts.forEach((count, j) => {
      const cell = at.rows[i + 1].cells[j + 1], share = count / total;
      cell.textContent = count;
      cell.style.setProperty('--share', share.toFixed(3));
      cell.className = share > 0.5 ? 'strong' : '';
      cell.title = `${names[i]} predicted as ${names[j]}: ${percent(share)} of ${total}`;
    });
  });
}

const COLUMNS = [['gradient norm', 'grad_norm'], ['weight norm', 'weight_norm'], ['update', 'update_ratio']];
function layers() {
  const at = element('layers');
  if (at.rows.length !== run.layers.length + 1) {
    at.replaceChildren();
    const head = append(at, 'tr');
    ['layer', ...COLUMNS.map(c => c[0]), 'dead'].forEach(text => append(head, 'th', {}, text));
    for (const layer of run.layers) {
      const row = append(at, 'tr');
      append(row, 'td', { title: layer.layer }, layer.layer);
      for (let i = 0; i < 3; i++) {
        const cell = append(row, 'td', { class: 'bar' });
        append(cell, 'i');
        append(cell, 'span', {}, '');
      }
      append(row, 'td', {}, '');
    }
  }
  const known = key => run.layers.map(l => l[key]).filter(v => v > 0);
  const ranges = COLUMNS.map(([, key]) => {
    const values = known(key);
    return [Math.log10(Math.min(...values)) - 0.3, Math.log10(Math.max(...values))];
  });
  run.layers.forEach((layer, i) => {
    const cells = at.rows[i + 1].cells;
    COLUMNS.forEach(([, key], c) => {
      const v = layer[key], [low, high] = ranges[c], cell = cells[c + 1];
      cell.querySelector('span').textContent = v === null ? '' : short(v);
      cell.querySelector('i').style.width =
        v > 0 ? `${100 * Math.max(0.01, (Math.log10(v) - low) / Math.max(high - low, 1e-9))}%` : '0';
    });
    cells[4].textContent = layer.dead_share === null ? '' : percent(layer.dead_share, 0);
    cells[4].className = layer.dead_share > 0.5 ? 'alarm' : '';
  });
}

// ---- pictures -----------------------------------------------------------------------------------

const NOTHING = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
function show(img, address) {
  if (img.getAttribute('src') !== address) img.setAttribute('src', address);
}

function pictures() {
  const faces = element('faces'), filters = element('filters');
  if (faces.children.length !== run.faces.length) {
    faces.replaceChildren();
    for (const [address, label] of run.faces) {
      const figure = append(faces, 'figure'), name = run.classes[label];
      append(figure, 'img', { src: address, alt: `A ${name} face` });
      append(figure, 'img', { src: NOTHING, alt: `Saliency for ${name}` });
      append(figure, 'figcaption', {}, name);
      append(figure, 'small', {}, '\u00a0');
    }
  }
  if (filters.children.length !== run.filters.length) {
    filters.replaceChildren();
    for (const name of run.filters) {
      const figure = append(filters, 'figure');
      append(figure, 'img', { src: NOTHING, alt: `Picture to which ${name} responds` });
      append(figure, 'figcaption', {}, name);
    }
  }
  const slider = element('frame'), newest = run.frames.length - 1;
  if (newest < 0) return;
  slider.max = newest;
  if (following) slider.value = newest;
  frame(Number(slider.value));
}

function frame(at) {
  const shown = run.frames[at];
  if (!shown) return;
  setText('frame-epoch', String(shown.epoch));
  shown.saliency.forEach((seen, i) => {
    const figure = element('faces').children[i], note = figure.querySelector('small');
    show(figure.querySelectorAll('img')[1], seen.map);
    const right = seen.predicted === run.faces[i][1];
    note.className = right ? 'right' : 'wrong';
    note.textContent =
      `${right ? '✓' : '✗'} ${run.classes[seen.predicted]}\n${percent(seen.probability, 0)}`;
  });
  // Not every epoch makes filter pictures: show the newest ones up to this epoch.
  const drawn = run.frames.slice(0, at + 1).reverse().find(f => f.filters.length);
  [...element('filters').children].forEach((figure, i) =>
    show(figure.querySelector('img'), drawn ? drawn.filters[i] : NOTHING));
}

element('frame').addEventListener('input', event => {
  following = Number(event.target.value) === run.frames.length - 1;
  frame(Number(event.target.value));
});

// ---- requests -----------------------------------------------------------------------------------

const SILENT = 90; // seconds without an update after which the training may have been killed
let over = false;

async function request(name) {
  const answer = await fetch(name, { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return [await answer.json(), Number(answer.headers.get('X-Age'))];
}

function showProgress(p, age) {
  const silent = p.state === 'running' && age > SILENT;
  over = p.state !== 'running';
  state(silent ? 'silent' : p.state, silent ? `no update for ${duration(age)}; the process may have been killed` : '');
  element('done').value = p.fraction;
  const within = p.steps ? p.step / p.steps : 0;
  const planned = run && run.planned ? ` of ${run.planned}` : '';
  setText('epoch', over ? `${p.epoch}${planned}` : `${p.epoch + 1}${planned}, ${percent(within, 0)}`);
  setText('left', over || p.remaining === null ? '–' : duration(p.remaining));
  setText('loss', p.loss.toFixed(3));
  setText('lr', short(p.lr));
  setText('speed', p.images_per_second.toFixed(0));
  setText('time', duration(p.seconds));
}

function state(name, news) {
  element('state').dataset.state = name;
  setText('state', name === 'silent' ? 'no update' : name);
  setText('news', news || '\u00a0');
}

async function update() {
  try {
    const [p, age] = await request('/progress.json');
    if (!run || run.epochs.length !== p.epoch) {
      if (run) showProgress(p, age); // shows the end even if the server stops before the next request
      [run] = await request('/live.json');
      setText('run', run.run);
      document.title = `${run.run}: fer`;
      setText('what', `${run.network}, ${run.parameters.toLocaleString('en')} parameters; ` +
        `${run.train.toLocaleString('en')} training faces, ${run.validation.toLocaleString('en')} validation faces`);
      charts(); recall(); confusion(); layers(); pictures();
      if (run.watching) setText('watching', `Monitoring took ${percent(run.watching)} of the training time.`);
    }
    showProgress(p, age);
    document.body.dataset.epochs = run.epochs.length; // for the tests of the page
  } catch (error) {
    const name = run ? run.run : 'RUN';
    if (over) setText('news', `the server stopped with the training; to show this page again: fer watch ${name}`);
    else state('silent', `no answer (${error.message}); to show this page again: fer watch ${name}`);
  }
  setTimeout(update, over ? 3000 : 1000);
}
update();
