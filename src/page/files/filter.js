// One filter: its map, the pictures that activate it most, its strongest faces, histogram and classes.
import { call, isStatic } from './api.js';
import { classColor, css, gray, make, mapColors, numbers, paint, short, SIDE, slow } from './dom.js';
import { ofSet } from './faces.js';
import { t } from './i18n.js';

const EVERY = 4; // steps between two pictures of the ascent
const REST = 250; // ms without a new face or filter before slow work begins: who leafs through them waits for none

// Shows a filter. Only its map depends on the face: `showMap` draws that of the chosen one; `pause` stops the work
// that does not depend on it, so that a face is answered first, and `resume` goes on with what is left of it.
export function filterPanel(at, view) {
  const { state, maps, layer, filter } = view;
  let pausing = new AbortController(), isNow = () => true;
  const mapAt = make('div', { class: 'card' }, make('h4', {}, t('map_of_face')));
  const pictures = make('div', { class: 'cards' }), facts = make('div', { class: 'cards' });
  const slowAt = make('div'), ascents = Object.fromEntries(['naive', 'maco'].map(method => [method, ascentCard(method)]));
  at.replaceChildren(make('h3', { id: 'filter-title' }, t('filter_title', filter, layer.name)), slowAt,
    make('div', { class: 'cards' }, mapAt, ascents.naive.element, ascents.maco.element), facts, pictures);

  const showMap = async () => mapAt.replaceChildren(mapAt.firstChild, mapCanvas(await maps(layer.name), view));
  function ascentCard(method) {
    const canvas = paint(make('canvas', { class: 'face big', role: 'img', 'aria-label': t(`ascent_${method}`) }), new Uint8Array(SIDE * SIDE).fill(128), SIDE, SIDE, gray);
    const note = make('p', { class: 'note' }), working = make('div');
    const show = message => {
      const values = numbers(message.bytes);
      let low = Infinity, high = -Infinity;
      for (const v of values) {
        low = Math.min(low, v);
        high = Math.max(high, v);
      }
      paint(canvas, values, SIDE, SIDE, v => gray(255 * (message.done ? v : (v - low) / (high - low || 1))));
      note.textContent = message.done ? t('ascent_done', message.steps, short(message.value)) : t('ascent_step', message.step, short(message.value));
    };
    const run = () => slow(working, async signal => {
      const answer = await call('ascent', { layer: layer.name, filter, method, every: EVERY }, undefined,
        { signal, lane: 'ascent', progress: m => { if (isNow() && m.step !== undefined) show(m); } });
      if (isNow()) show(answer);
      return answer;
    }, pausing.signal);
    const again = isStatic ? null : make('button', { type: 'button', class: 'watch', onclick: run }, t('watch'));
    const element = make('div', { class: 'card ascent', 'data-method': method }, make('h4', {}, t(`ascent_${method}`)), canvas, note, working, again);
    return { element, run };
  }

  const left = [async () => {
    const answer = await slow(slowAt, (signal, progress) =>
      call('filter', { layer: layer.name, filter }, undefined, { signal, progress, lane: 'filter' }), pausing.signal);
    if (!answer || !isNow()) return null;
    showFacts(facts, state.net, answer);
    showPatches(pictures, view, answer);
    document.body.dataset.filter = `${layer.name}/${filter}`; // for the tests of the page
    return answer;
  }, ascents.naive.run, ascents.maco.run];
  const resume = async () => {
    const { signal } = pausing = new AbortController();
    isNow = () => signal === pausing.signal && !signal.aborted;
    await new Promise(done => setTimeout(done, isStatic ? 0 : REST));
    while (left.length && isNow() && await left[0]() && isNow()) left.shift();
  };
  return { layer, filter, showMap, resume, pause: () => pausing.abort() };
}

// The map of the chosen face, enlarged; a click opens a cell.
function mapCanvas({ shape: [, h, w], values }, { filter, openCell }) {
  const own = values.subarray(filter * h * w, (filter + 1) * h * w), { color } = mapColors(values);
  let at = [Math.floor(h / 2), Math.floor(w / 2)];
  const canvas = make('canvas', { id: 'one-map', class: 'face big', tabIndex: 0, role: 'application', 'aria-label': t('map_label', h, w) });
  const output = make('output', { class: 'note' }, t('click_a_cell'));
  const show = () => {
    paint(canvas, own, w, h, color);
    output.textContent = t('cell_value', at[0], at[1], short(own[at[0] * w + at[1]]));
  };
  const place = event => {
    const box = canvas.getBoundingClientRect();
    return [Math.min(h - 1, Math.max(0, Math.floor(h * (event.clientY - box.top) / box.height))),
      Math.min(w - 1, Math.max(0, Math.floor(w * (event.clientX - box.left) / box.width)))];
  };
  canvas.addEventListener('pointermove', event => {
    at = place(event);
    show();
  });
  canvas.addEventListener('click', event => {
    at = place(event);
    openCell(...at);
  });
  canvas.addEventListener('keydown', event => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (move) at = [Math.min(h - 1, Math.max(0, at[0] + move[0])), Math.min(w - 1, Math.max(0, at[1] + move[1]))];
    else if (event.key === 'Enter' || event.key === ' ') openCell(...at);
    else return;
    event.preventDefault();
    show();
  });
  show();
  return make('div', {}, canvas, output);
}

function showFacts(at, net, answer) {
  const { values, means, main } = answer;
  const width = 300, height = 120, bins = 30, low = Math.min(...values), high = Math.max(...values);
  const counts = new Array(bins).fill(0);
  values.forEach(v => counts[Math.min(bins - 1, Math.floor(bins * (v - low) / (high - low || 1)))]++);
  const top = Math.max(...counts);
  const chart = make('svg:svg', { viewBox: `0 0 ${width} ${height + 18}`, role: 'img', 'aria-label': t('histogram') },
    ...counts.map((n, i) => make('svg:rect', { x: i * width / bins, y: height - height * n / top, width: width / bins - 1, height: height * n / top, fill: css('--accent') })),
    make('svg:text', { x: 0, y: height + 14, class: 'tick' }, short(low)), make('svg:text', { x: width, y: height + 14, 'text-anchor': 'end', class: 'tick' }, short(high)));
  const known = means.map((m, k) => [k, m]).filter(([, m]) => m !== null).sort((a, b) => b[1] - a[1]);
  // From the lowest, or 0, to the highest: the longest bar is the highest mean, also among negative ones.
  const least = Math.min(0, ...known.map(([, m]) => m)), range = Math.max(0, ...known.map(([, m]) => m)) - least || 1;
  const list = make('div', { class: 'bars' }, ...known.map(([k, m]) => {
    const fill = make('div', { class: 'fill' });
    fill.style.width = `${100 * (m - least) / range}%`;
    fill.style.background = classColor(k);
    return make('div', { class: 'bar' }, make('span', { class: 'name' }, t(net.classes[k])), make('div', { class: 'track' }, fill), make('output', {}, short(m)));
  }));
  at.replaceChildren(make('div', { class: 'card' }, make('h4', {}, t('histogram')), chart,
    make('p', { class: 'note' }, t('filter_numbers', values.length, short(answer.median), short(answer.sd), short(answer.highest)))),
  make('div', { class: 'card' }, make('h4', {}, t('speaks_for')), list, make('p', { class: 'note' },
    main ? t('main_class', t(net.classes[main.class]), main.count, main.total, main.lift.toFixed(1)) : t('no_main_class'))));
}

function showPatches(at, { state, openFace }, { top, side, bytes }) {
  const size = side * side;
  at.replaceChildren(make('div', { class: 'card' }, make('h4', {}, t('strongest')), make('div', { class: 'strip' }, ...top.map((patch, i) =>
    make('button', {
      type: 'button', class: 'thumb', title: `#${patch.face}, ${short(patch.value)}`,
      onclick: async () => openFace((await ofSet([patch.face]))[0]),
    }, paint(make('canvas', { class: 'face', role: 'img', 'aria-label': `${t(state.net.classes[patch.label] ?? '')} ${short(patch.value)}` }), bytes.subarray(i * size, (i + 1) * size), side, side, gray),
    make('small', {}, short(patch.value))))), make('p', { class: 'note' }, t('strongest_note'))));
}
