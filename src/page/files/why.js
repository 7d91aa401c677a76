// Why an answer: maps side by side, painting, superpixels, the smallest patch.
import { call } from './api.js';
import { argmax, around, bars, colorKey, make, numbers, overlay, paintFace, percent, sequential, short, SIDE, slow } from './dom.js';
import { definition, listed, t, title } from './i18n.js';
import { noted } from './notes.js';
import { paintTab } from './paint.js';

const MOST = 6; // maps side by side

export function whyTab(at, state) {
  const net = state.net, chosen = new Set([net.methods.find(m => m.default).name, 'gradcam', 'occlusion']);
  const head = make('div', { class: 'answer' });
  const target = make('select', { id: 'target', onchange: () => refresh() },
    ...net.classes.map((name, k) => make('option', { value: k }, t(name))));
  const opacity = make('input', { type: 'range', id: 'opacity', min: 0, max: 1, step: 0.05, value: 0.7, oninput: () => redraw() });
  const under = make('output', { id: 'under', class: 'note' }, t('point_at_map'));
  const methods = make('fieldset', { class: 'methods' }, make('legend', {}, t('methods')), ...net.methods.map(method =>
    make('label', { title: definition(method) }, make('input', {
      type: 'checkbox', value: method.name, checked: chosen.has(method.name),
      onchange: event => {
        if (event.target.checked && chosen.size >= MOST) {
          event.target.checked = false;
          under.textContent = t('most_methods', MOST);
          return;
        }
        chosen[event.target.checked ? 'add' : 'delete'](method.name);
        refresh();
      },
    }), ` ${title(method)}`)));
  const maps = make('div', { id: 'maps', class: 'maps' });
  const found = new Map(); // method → answer for this face and class
  let shown = null, asked = 0;

  function frame(method) {
    let at = [SIDE / 2, SIDE / 2];
    const read = (x, y) => {
      const answer = found.get(method.name);
      if (!answer?.map || x < 0 || y < 0 || x >= SIDE || y >= SIDE) return;
      at = [x, y];
      under.textContent = t('value_at', title(method), x, y, short(answer.map[y * SIDE + x]), method.unit, shown.gray[y * SIDE + x]);
    };
    const canvas = make('canvas', {
      class: 'face big', tabIndex: 0, role: 'img', 'aria-label': `${title(method)}: ${definition(method)}`,
      onpointermove: event => {
        const box = canvas.getBoundingClientRect();
        read(Math.floor(SIDE * (event.clientX - box.left) / box.width), Math.floor(SIDE * (event.clientY - box.top) / box.height));
      },
      onkeydown: event => {
        const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!move) return;
        event.preventDefault();
        read(at[0] + move[0], at[1] + move[1]);
      },
    });
    const checks = make('div');
    return make('figure', { 'data-method': method.name }, canvas, make('figcaption', {},
      make('strong', {}, title(method)), make('p', { class: 'about' }, definition(method)), make('p', { class: 'note' }), checks,
      make('button', {
        type: 'button', class: 'check', onclick: () => slow(checks, async (signal, progress) => {
          const { row, faces } = await call('sanity', { method: method.name }, undefined, { signal, progress, lane: 'sanity' });
          const words = row.failures.length ? t('checks_failed', listed(row.failures.map(noted)))
            : row.undecided.length ? t('checks_undecided', listed(row.undecided.map(noted))) : t('checks_passed');
          checks.append(make('p', { class: row.failures.length ? 'error' : 'good' }, `${words} (${t('on_faces', faces)})`));
        }),
      }, t('check_method'))));
  }

  function redraw() {
    for (const figure of maps.children) {
      const method = net.methods.find(m => m.name === figure.dataset.method), answer = found.get(method.name);
      const canvas = figure.querySelector('canvas'), note = figure.querySelector('.note');
      if (!answer) paintFace(canvas, shown.gray);
      else if (answer.refused) note.textContent = noted(answer.refused);
      else {
        overlay(canvas, shown.gray, answer.map, answer.scale, Number(opacity.value), method.signed);
        note.textContent = listed([...answer.notes.map(noted), t('full_colour', short(answer.scale))]);
      }
    }
  }

  async function refresh() {
    const face = shown, number = ++asked, wanted = net.methods.filter(m => chosen.has(m.name));
    if (!face) return;
    found.clear();
    const known = new Map([...maps.children].map(figure => [figure.dataset.method, figure]));
    maps.replaceChildren(...wanted.map(method => known.get(method.name) ?? frame(method)));
    redraw();
    for (const method of wanted) {
      const figure = [...maps.children].find(f => f.dataset.method === method.name), note = figure?.querySelector('.note');
      if (note) note.textContent = t('working');
      try {
        const answer = await call('attribution', { method: method.name, class: Number(target.value) }, face.gray, {
          lane: 'attribution', progress: m => { if (m.progress && note) note.textContent = `${t('working')} ${m.progress}`; },
        });
        if (number !== asked) return;
        answer.map = numbers(answer.bytes);
        found.set(method.name, answer);
        redraw();
      } catch (error) {
        if (number !== asked) return;
        if (note && !error.isStale) note.textContent = error.message;
      }
    }
    document.body.dataset.maps = wanted.length; // for the tests of the page
  }

  const face = make('canvas', { class: 'face big', role: 'img' });
  const own = make('div', { class: 'bars' });
  head.append(face, own);
  const paint = paintTab(state);
  at.replaceChildren(head,
    make('h2', {}, t('why_heading')),
    make('p', { class: 'buttons' }, make('label', {}, `${t('class')} `, target), make('label', {}, `${t('opacity')} `, opacity)),
    methods, maps, under, colorKey(t('against_class'), t('for_class'), around), colorKey(t('no_influence'), t('most_influence'), sequential),
    make('p', { class: 'note' }, t('colours_note')), paint.element, patchPanel(state));

  state.listeners.push(() => {
    if (at.hidden || !state.face || state.face === shown) return;
    shown = state.face;
    paintFace(face, shown.gray).setAttribute('aria-label', shown.name);
    bars(own, net.classes, shown.probabilities);
    target.value = argmax(shown.probabilities);
    paint.show(shown);
    refresh();
  });
}

// The smallest square whose replacement changes the answer.
function patchPanel(state) {
  const net = state.net, result = make('div', { id: 'patch-result' });
  const fill = make('select', { id: 'fill', 'aria-label': t('fill') }, ...['mean', 'blur', 'gray'].map(f => make('option', { value: f }, t(`fill_${f}`))));
  const search = () => slow(result, async (signal, progress) => {
    const face = state.face;
    const answer = await call('patch', { fill: fill.value }, face.gray, { signal, progress, lane: 'patch' });
    if (!answer.found) return result.append(make('p', {}, t('no_patch', answer.passes)));
    const { x, y, side, class: to, probabilities } = answer.found;
    const canvas = paintFace(make('canvas', { class: 'face big', role: 'img', 'aria-label': t('patch_heading') }), face.gray);
    const context = canvas.getContext('2d');
    context.strokeStyle = '#ff3b5c';
    context.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
    result.append(make('div', { class: 'answer' }, canvas, make('div', {}, make('p', {}, t('patch_found', side, x, y,
      t(net.classes[answer.answer]), t(net.classes[to]), percent(probabilities[to], 0), answer.passes)),
    bars(make('div', { class: 'bars' }), net.classes, probabilities))));
    return null;
  });
  return make('section', {}, make('h2', {}, t('patch_heading')), make('p', { class: 'buttons' }, make('label', {}, `${t('fill')} `, fill),
    make('button', { type: 'button', id: 'patch', onclick: search }, t('search'))), result);
}

