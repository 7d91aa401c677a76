// A map of the data: faces of the set by their features; a brush chooses some, lists lead to mistakes.
import { call } from './api.js';
import { argmax, classColor, css, faceCanvas, make, percent, slow } from './dom.js';
import { describe, ofSet } from './faces.js';
import { t } from './i18n.js';

const MOST = 60;   // faces that are shown
const SURE = 0.9;  // probability from which an answer that contradicts the label is suspicious

export function mapTab(at, state) {
  const net = state.net, size = 640;
  const canvas = make('canvas', { id: 'data-map', width: size, height: size, tabIndex: 0, role: 'application', 'aria-label': t('map_label_data') });
  const color = make('select', { id: 'map-color', onchange: () => draw() }, make('option', { value: 'label' }, t('by_label')), make('option', { value: 'answer' }, t('by_answer')));
  const layout = make('select', { id: 'map-layout', onchange: () => load() }, make('option', { value: 'pca' }, t('layout_pca')), make('option', { value: 'tsne' }, t('layout_tsne')));
  const working = make('div'), note = make('p', { class: 'note' }), list = make('div', { class: 'cards', id: 'chosen' }), heading = make('h3', { id: 'chosen-title' });
  const legend = net.classes.map((name, k) => {
    const dot = make('i');
    dot.style.background = classColor(k);
    return make('span', {}, dot, t(name));
  });
  let data = null, place = null, from = null, brush = null;

  function draw() {
    const context = canvas.getContext('2d');
    context.fillStyle = css('--card');
    context.fillRect(0, 0, size, size);
    if (!data) return;
    data.points.forEach((_, i) => {
      const k = color.value === 'label' ? data.labels[i] : data.answers[i], [x, y] = place(i);
      context.fillStyle = k === null ? css('--muted') : classColor(k);
      context.beginPath();
      context.arc(x, y, 3.2, 0, 7);
      context.fill();
    });
    if (brush) {
      context.strokeStyle = css('--ink');
      context.setLineDash([4, 3]);
      context.strokeRect(...brush);
      context.setLineDash([]);
    }
  }

  async function show(title, chosen) {
    heading.textContent = t(chosen.length > MOST ? 'first_of' : 'counted', title, chosen.length, MOST);
    const faces = chosen.length ? await ofSet(chosen.slice(0, MOST).map(i => data.faces[i]), { lane: 'brush' }).catch(() => null) : [];
    if (!faces) return;
    list.replaceChildren(...faces.map(face => make('button', { type: 'button', class: 'thumb', title: describe(face, net), onclick: () => state.choose(face) },
      faceCanvas(face.gray, `${face.name} ${describe(face, net)}`), make('small', {}, describe(face, net)))));
  }

  const mistakes = sure => {
    const wrong = data.points.map((_, i) => i).filter(i => data.labels[i] !== null && data.answers[i] !== data.labels[i]);
    const p = i => data.probabilities[i][data.answers[i]];
    return wrong.filter(i => p(i) >= sure).sort((a, b) => p(b) - p(a));
  };
  const at2 = event => {
    const box = canvas.getBoundingClientRect();
    return [size * (event.clientX - box.left) / box.width, size * (event.clientY - box.top) / box.height];
  };
  canvas.addEventListener('pointerdown', event => {
    canvas.setPointerCapture(event.pointerId);
    from = at2(event);
  });
  canvas.addEventListener('pointermove', event => {
    if (!from) return;
    const [x, y] = at2(event);
    brush = [Math.min(x, from[0]), Math.min(y, from[1]), Math.abs(x - from[0]), Math.abs(y - from[1])];
    draw();
  });
  canvas.addEventListener('pointerup', () => {
    from = null;
    showBrushed();
  });
  canvas.addEventListener('keydown', event => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const [x, y, w, h] = brush ?? [size * 0.4, size * 0.4, size * 0.2, size * 0.2], step = size / 32, by = move.map(v => v * step);
    brush = event.shiftKey ? [x, y, Math.max(step, w + by[0]), Math.max(step, h + by[1])] : [x + by[0], y + by[1], w, h];
    draw();
    showBrushed();
  });
  function showBrushed() {
    if (!brush || !data) return;
    const [x, y, w, h] = brush;
    show(t('brushed'), data.points.map((_, i) => i).filter(i => {
      const [px, py] = place(i);
      return px >= x && px <= x + w && py >= y && py <= y + h;
    }));
  }

  at.replaceChildren(make('h2', {}, t('tab_map')), make('p', { class: 'note' }, t('map_note')), working,
    make('p', { class: 'buttons' }, make('label', {}, `${t('layout')} `, layout), make('label', {}, `${t('colour')} `, color),
      make('button', { type: 'button', id: 'mistakes', onclick: () => data && show(t('mistakes'), mistakes(0)) }, t('mistakes')),
      make('button', { type: 'button', id: 'suspects', onclick: () => data && show(t('suspects'), mistakes(SURE)) }, t('suspects'))),
    make('div', { class: 'columns' }, make('div', {}, canvas, make('p', { class: 'legend' }, ...legend), note), make('div', {}, heading, list)));
  draw();
  function load() {
    brush = null;
    return slow(working, async (signal, progress) => {
      const kind = layout.value;
      data = await call('map', { layout: kind }, undefined, { signal, progress, lane: 'map' });
      data.answers = data.probabilities.map(argmax);
      const range = axis => [Math.min(...data.points.map(p => p[axis])), Math.max(...data.points.map(p => p[axis]))];
      const [[x0, x1], [y0, y1]] = [range(0), range(1)];
      place = i => [12 + (size - 24) * (data.points[i][0] - x0) / (x1 - x0 || 1), size - 12 - (size - 24) * (data.points[i][1] - y0) / (y1 - y0 || 1)];
      note.textContent = kind === 'tsne' ? t('map_tsne', data.faces.length, t(net.faces_from))
        : t('map_numbers', data.faces.length, t(net.faces_from), percent(data.shares[0], 0), percent(data.shares[1], 0));
      draw();
      Object.assign(document.body.dataset, { map: data.faces.length, layout: kind }); // for the tests of the page
    });
  }
  load();
  const listener = () => {};
  listener.recolor = draw;
  state.listeners.push(listener);
}
