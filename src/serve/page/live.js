// The live page: asks for progress.json every second, for live.json when an epoch has ended, and
// writes what they say into places that are there from the start, so that nothing moves.
'use strict';

const place = id => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
let story = null;      // live.json
let following = true;  // the slider stays at the newest epoch until it is moved

const percent = (v, digits = 1) => `${(100 * v).toFixed(digits)} %`;
const short = v => v === 0 ? '0' : Math.abs(v) >= 0.01 && Math.abs(v) < 1e4
  ? String(Number(v.toPrecision(3))) : v.toExponential(1);
function duration(seconds) {
  const s = Math.max(0, Math.round(seconds)), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return h ? `${h} h ${m} min` : m ? `${m} min ${s % 60} s` : `${s} s`;
}
function say(id, text) {
  const at = place(id);
  if (at.textContent !== text) at.textContent = text;
}
function make(parent, tag, attributes = {}, text = null) {
  const svg = parent.namespaceURI === SVG || tag === 'svg';
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  return parent.appendChild(node);
}

// ---- charts -------------------------------------------------------------------------------------

// A number at or above v whose quarters read well.
function nice(v) {
  if (!(v > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(v));
  return power * [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10].find(step => step * power >= v * 0.999999);
}

// series: [[class, values]]; values[i] belongs to epoch i + 1.
function chart(id, series, { top, format, best = null }) {
  const svg = place(id), left = 52, right = 448, bottom = 218, high = 12;
  svg.replaceChildren();
  const count = series[0][1].length;
  const epochs = Math.max(story.planned || 0, count, 2);
  const x = i => left + (right - left) * i / (epochs - 1);
  const y = v => bottom - (bottom - high) * Math.min(Math.max(v / top, 0), 1);
  for (let i = 0; i <= 4; i++) {
    const v = top * i / 4;
    make(svg, 'line', { class: 'grid', x1: left, x2: right, y1: y(v), y2: y(v) });
    make(svg, 'text', { x: left - 6, y: y(v) + 4, 'text-anchor': 'end' }, format(v));
  }
  const ticks = Math.min(epochs - 1, 5);
  for (let i = 0; i <= ticks; i++) {
    const epoch = Math.round(i * (epochs - 1) / ticks);
    make(svg, 'text', { x: x(epoch), y: 236, 'text-anchor': 'middle' }, epoch + 1);
  }
  make(svg, 'text', { x: (left + right) / 2, y: 254, 'text-anchor': 'middle' }, 'epoch');
  for (const [name, values] of series) {
    const points = values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(' ');
    make(svg, 'polyline', { class: name, points });
    if (count) make(svg, 'circle', { class: name, cx: x(count - 1), cy: y(values[count - 1]), r: 3 });
  }
  if (best !== null) make(svg, 'circle', { class: 'best', cx: x(best), cy: y(series[1][1][best]), r: 6 });
}

function charts() {
  const all = key => story.epochs.map(m => m[key]);
  const val = all('val_accuracy');
  const best = val.length ? val.indexOf(Math.max(...val)) : null;
  const losses = [...all('loss'), ...all('val_loss')];
  const plain = v => String(Number(v.toPrecision(3)));
  chart('accuracy-chart', [['train', all('accuracy')], ['validation', val]],
    { top: 1, format: v => percent(v, 0), best });
  chart('loss-chart', [['train', all('loss')], ['validation', all('val_loss')]],
    { top: nice(Math.max(...losses)), format: plain, best });
  chart('lr-chart', [['train', all('lr')]], { top: nice(Math.max(...all('lr'))), format: plain });
  chart('norm-chart', [['train', all('grad_norm')]],
    { top: nice(Math.max(...all('grad_norm'))), format: plain });
  if (best !== null) say('best', `${percent(val[best])} (epoch ${best + 1})`);
  if (val.length) say('accuracy', percent(val[val.length - 1]));
}

// ---- tables -------------------------------------------------------------------------------------

function recall() {
  const at = place('recall');
  if (at.children.length !== story.classes.length) {
    at.replaceChildren();
    for (const name of story.classes) {
      const row = make(at, 'div');
      make(row, 'span', {}, name);
      const track = make(row, 'div', { class: 'track' });
      make(track, 'div', { class: 'fill' });
      make(make(track, 'svg', { class: 'spark', viewBox: '0 0 100 100', preserveAspectRatio: 'none' }),
        'polyline', { class: 'validation', 'vector-effect': 'non-scaling-stroke' });
      make(row, 'output', {}, '–');
    }
  }
  const history = story.recall;
  if (!history.length) return;
  const epochs = Math.max(story.planned || 0, history[history.length - 1][0], 2);
  [...at.children].forEach((row, c) => {
    const last = history[history.length - 1][1][c];
    row.querySelector('.fill').style.width = `${100 * last}%`;
    row.querySelector('output').textContent = percent(last, 0);
    const point = ([epoch, values]) => `${100 * (epoch - 1) / (epochs - 1)},${100 - 100 * values[c]}`;
    row.querySelector('polyline').setAttribute('points', history.map(point).join(' '));
  });
}

function confusion() {
  const at = place('confusion'), names = story.classes;
  if (at.rows.length !== names.length + 1) {
    at.replaceChildren();
    const head = make(at, 'tr');
    make(head, 'th', {}, '');
    names.forEach(name => make(head, 'th', { title: name }, name));
    for (const name of names) {
      const row = make(at, 'tr');
      make(row, 'th', {}, name);
      names.forEach(() => make(row, 'td', {}, ''));
    }
  }
  story.confusion.forEach((counts, i) => {
    const total = Math.max(1, counts.reduce((a, b) => a + b, 0));
    counts.forEach((count, j) => {
      const cell = at.rows[i + 1].cells[j + 1], share = count / total;
      cell.textContent = count;
      cell.style.setProperty('--share', share.toFixed(3));
      cell.className = share > 0.5 ? 'strong' : '';
      cell.title = `${names[i]} taken for ${names[j]}: ${percent(share)} of ${total}`;
    });
  });
}

const COLUMNS = [['gradient norm', 'grad_norm'], ['weight norm', 'weight_norm'], ['update', 'update_ratio']];
function layers() {
  const at = place('layers');
  if (at.rows.length !== story.layers.length + 1) {
    at.replaceChildren();
    const head = make(at, 'tr');
    ['layer', ...COLUMNS.map(c => c[0]), 'dead'].forEach(text => make(head, 'th', {}, text));
    for (const layer of story.layers) {
      const row = make(at, 'tr');
      make(row, 'td', { title: layer.layer }, layer.layer);
      for (let i = 0; i < 3; i++) {
        const cell = make(row, 'td', { class: 'bar' });
        make(cell, 'i');
        make(cell, 'span', {}, '');
      }
      make(row, 'td', {}, '');
    }
  }
  const known = key => story.layers.map(l => l[key]).filter(v => v > 0);
  const ranges = COLUMNS.map(([, key]) => {
    const values = known(key);
    return [Math.log10(Math.min(...values)) - 0.3, Math.log10(Math.max(...values))];
  });
  story.layers.forEach((layer, i) => {
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
  const faces = place('faces'), filters = place('filters');
  if (faces.children.length !== story.faces.length) {
    faces.replaceChildren();
    for (const [address, label] of story.faces) {
      const figure = make(faces, 'figure'), name = story.classes[label];
      make(figure, 'img', { src: address, alt: `A ${name} face` });
      make(figure, 'img', { src: NOTHING, alt: `Saliency for ${name}` });
      make(figure, 'figcaption', {}, name);
      make(figure, 'small', {}, '\u00a0');
    }
  }
  if (filters.children.length !== story.filters.length) {
    filters.replaceChildren();
    for (const name of story.filters) {
      const figure = make(filters, 'figure');
      make(figure, 'img', { src: NOTHING, alt: `What ${name} wants to see` });
      make(figure, 'figcaption', {}, name);
    }
  }
  const slider = place('frame'), newest = story.frames.length - 1;
  if (newest < 0) return;
  slider.max = newest;
  if (following) slider.value = newest;
  frame(Number(slider.value));
}

function frame(at) {
  const shown = story.frames[at];
  if (!shown) return;
  say('frame-epoch', String(shown.epoch));
  shown.saliency.forEach((seen, i) => {
    const figure = place('faces').children[i], note = figure.querySelector('small');
    show(figure.querySelectorAll('img')[1], seen.map);
    const right = seen.predicted === story.faces[i][1];
    note.className = right ? 'right' : 'wrong';
    note.textContent =
      `${right ? '✓' : '✗'} ${story.classes[seen.predicted]}\n${percent(seen.probability, 0)}`;
  });
  // Filters are not drawn in every epoch: the newest pictures up to this one.
  const drawn = story.frames.slice(0, at + 1).reverse().find(f => f.filters.length);
  [...place('filters').children].forEach((figure, i) =>
    show(figure.querySelector('img'), drawn ? drawn.filters[i] : NOTHING));
}

place('frame').addEventListener('input', event => {
  following = Number(event.target.value) === story.frames.length - 1;
  frame(Number(event.target.value));
});

// ---- asking -------------------------------------------------------------------------------------

const SILENT = 90; // seconds without news after which a running training is doubted
let over = false;

async function ask(name) {
  const answer = await fetch(name, { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return [await answer.json(), Number(answer.headers.get('X-Age'))];
}

function now(p, age) {
  const silent = p.state === 'running' && age > SILENT;
  over = p.state !== 'running';
  state(silent ? 'silent' : p.state, silent ? `no news for ${duration(age)}; the process may have been killed` : '');
  place('done').value = p.fraction;
  const within = p.steps ? p.step / p.steps : 0;
  const planned = story && story.planned ? ` of ${story.planned}` : '';
  say('epoch', over ? `${p.epoch}${planned}` : `${p.epoch + 1}${planned}, ${percent(within, 0)}`);
  say('left', over || p.remaining === null ? '–' : duration(p.remaining));
  say('loss', p.loss.toFixed(3));
  say('lr', short(p.lr));
  say('speed', p.images_per_second.toFixed(0));
  say('time', duration(p.seconds));
}

function state(name, news) {
  place('state').dataset.state = name;
  say('state', name === 'silent' ? 'no news' : name);
  say('news', news || '\u00a0');
}

async function update() {
  try {
    const [p, age] = await ask('/progress.json');
    if (!story || story.epochs.length !== p.epoch) {
      if (story) now(p, age); // the end is known even if the server goes before it answers again
      [story] = await ask('/live.json');
      say('run', story.run);
      document.title = `${story.run}: fer`;
      say('what', `${story.network}, ${story.parameters.toLocaleString('en')} parameters; ` +
        `${story.train.toLocaleString('en')} faces to train on, ${story.validation.toLocaleString('en')} to validate`);
      charts(); recall(); confusion(); layers(); pictures();
      if (story.watching) say('watching', `Watching took ${percent(story.watching)} of the training's time.`);
    }
    now(p, age);
    document.body.dataset.epochs = story.epochs.length; // for whom tests the page
  } catch (error) {
    const name = story ? story.run : 'RUN';
    if (over) say('news', `the server has ended with the training; fer watch ${name} shows this page again`);
    else state('silent', `no answer (${error.message}); fer watch ${name} shows this page again`);
  }
  setTimeout(update, over ? 3000 : 1000);
}
update();
