// Painting on a face, and switching its superpixels: the probabilities change while one paints.
import { call } from './api.js';
import { bars, gray, make, paint, PIXELS, SIDE } from './dom.js';
import { t } from './i18n.js';

const TOOLS = ['brush', 'blur', 'swap', 'restore', 'superpixels'];

// The mean of the 5 × 5 pixels around each pixel.
function blurred(face) {
  const out = new Uint8ClampedArray(PIXELS);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      let sum = 0, n = 0;
      for (let j = Math.max(0, y - 2); j <= Math.min(SIDE - 1, y + 2); j++) {
        for (let i = Math.max(0, x - 2); i <= Math.min(SIDE - 1, x + 2); i++, n++) sum += face[j * SIDE + i];
      }
      out[y * SIDE + x] = sum / n;
    }
  }
  return out;
}

export function paintTab(state) {
  const net = state.net;
  let face = null, pixels = null, blur = null, history = [], parts = null, hidden = new Set();
  let tool = 'brush', busy = false, dirty = false, cursor = [24, 24], drawing = false;

  const canvas = make('canvas', { id: 'paint', class: 'face big', tabIndex: 0, role: 'application', 'aria-label': t('paint_label') });
  const now = make('div', { id: 'painted', class: 'bars' });
  const size = make('input', { type: 'range', id: 'size', min: 0, max: 10, step: 1, value: 3 });
  const level = make('input', { type: 'range', id: 'level', min: 0, max: 255, step: 1, value: 128 });
  const other = make('select', { id: 'other', 'aria-label': t('swap_with') });
  const segmentation = make('select', { id: 'segmentation', 'aria-label': t('superpixels'), onchange: () => cut() },
    ...['slic', 'face'].map(s => make('option', { value: s }, t(`cut_${s}`))));
  const tools = make('div', { class: 'buttons', role: 'radiogroup', 'aria-label': t('tool') }, ...TOOLS.map(name =>
    make('label', {}, make('input', { type: 'radio', name: 'tool', value: name, checked: name === tool, onchange: () => choose(name) }), ` ${t(`tool_${name}`)}`)));
  const extras = {
    brush: make('label', {}, `${t('gray_level')} `, level), swap: make('label', {}, `${t('swap_with')} `, other),
    superpixels: make('label', {}, `${t('superpixels')} `, segmentation),
  };

  function choose(name) {
    tool = name;
    for (const [key, node] of Object.entries(extras)) node.hidden = key !== name;
    if (name === 'superpixels') cut();
    else draw();
  }

  async function cut() {
    const asked = face;
    const answer = await call('superpixels', { segmentation: segmentation.value }, pixels, { lane: 'superpixels' }).catch(() => null);
    if (!answer || asked !== face) return;
    parts = { label: answer.bytes.slice(0, PIXELS), mean: answer.bytes.slice(PIXELS), base: pixels.slice() };
    hidden = new Set();
    draw();
  }

  function draw() {
    paint(canvas, pixels, SIDE, SIDE, (v, i) => {
      if (tool !== 'superpixels' || !parts) return gray(v);
      const x = i % SIDE, edge = (x + 1 < SIDE && parts.label[i] !== parts.label[i + 1])
        || (i + SIDE < PIXELS && parts.label[i] !== parts.label[i + SIDE]);
      return edge ? [v * 0.5 + 100, v * 0.5 + 60, v * 0.3] : gray(v);
    });
    const context = canvas.getContext('2d'), r = tool === 'superpixels' ? 0 : Number(size.value);
    if (document.activeElement === canvas) {
      context.strokeStyle = '#19b37d';
      context.strokeRect(cursor[0] - r - 0.5, cursor[1] - r - 0.5, 2 * r + 2, 2 * r + 2);
    }
  }

  function apply(x, y) {
    if (tool === 'superpixels') return;
    const r = Number(size.value), source = state.faces[other.selectedIndex];
    for (let j = Math.max(0, y - r); j <= Math.min(SIDE - 1, y + r); j++) {
      for (let i = Math.max(0, x - r); i <= Math.min(SIDE - 1, x + r); i++) {
        if ((i - x) ** 2 + (j - y) ** 2 > r * r + r) continue;
        const p = j * SIDE + i;
        pixels[p] = tool === 'brush' ? Number(level.value) : tool === 'blur' ? blur[p]
          : tool === 'restore' ? face.gray[p] : source ? source.gray[p] : pixels[p];
      }
    }
    draw();
    ask();
  }

  function toggle(x, y) {
    const part = parts?.label[y * SIDE + x];
    if (part === undefined) return;
    hidden[hidden.has(part) ? 'delete' : 'add'](part);
    for (let p = 0; p < PIXELS; p++) pixels[p] = hidden.has(parts.label[p]) ? parts.mean[p] : parts.base[p];
    draw();
    ask();
  }

  // Asks about the newest picture whenever the last answer is there.
  async function ask() {
    state.painted.set(face, pixels); // another language shows it again
    dirty = true;
    if (busy) return;
    busy = true;
    while (dirty) {
      dirty = false;
      const answer = await call('answer', {}, pixels, { lane: 'paint' }).catch(() => null);
      if (answer) bars(now, net.classes, answer.probabilities[0], face.probabilities);
    }
    busy = false;
  }

  function remember() {
    history.push(pixels.slice());
    if (history.length > 50) history.shift();
  }
  function begin(x, y) {
    remember();
    if (tool === 'superpixels') toggle(x, y);
    else apply(x, y);
  }
  const place = event => {
    const box = canvas.getBoundingClientRect();
    return [Math.floor(SIDE * (event.clientX - box.left) / box.width), Math.floor(SIDE * (event.clientY - box.top) / box.height)]
      .map(v => Math.min(SIDE - 1, Math.max(0, v)));
  };
  canvas.addEventListener('pointerdown', event => {
    canvas.setPointerCapture(event.pointerId);
    drawing = true;
    cursor = place(event);
    begin(...cursor);
  });
  canvas.addEventListener('pointermove', event => {
    if (!drawing) return;
    cursor = place(event);
    apply(...cursor);
  });
  canvas.addEventListener('pointerup', () => { drawing = false; });
  canvas.addEventListener('keydown', event => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (move) cursor = cursor.map((v, i) => Math.min(SIDE - 1, Math.max(0, v + move[i])));
    else if (event.key === ' ' || event.key === 'Enter') begin(...cursor);
    else return;
    event.preventDefault();
    draw();
  });
  canvas.addEventListener('focus', draw);
  canvas.addEventListener('blur', draw);

  function undo() {
    const last = history.pop();
    if (!last) return;
    pixels = last;
    draw();
    ask();
  }
  function reset() {
    if (!face) return;
    remember();
    pixels = face.gray.slice();
    parts = null;
    choose(tool);
    ask();
  }

  const keep = async () => {
    const answer = await call('answer', {}, pixels, { lane: 'keep' });
    state.choose({ gray: pixels.slice(), label: face.label, name: `${face.name} ✎`, probabilities: answer.probabilities[0] });
  };
  const element = make('section', {}, make('h2', {}, t('paint_heading')), make('p', { class: 'note' }, t('paint_note')), tools,
    make('p', { class: 'buttons' }, make('label', {}, `${t('size')} `, size), ...Object.values(extras),
      make('button', { type: 'button', id: 'undo', onclick: undo }, t('undo')), make('button', { type: 'button', id: 'reset', onclick: reset }, t('reset')),
      make('button', { type: 'button', id: 'keep', onclick: keep }, t('keep'))),
    make('div', { class: 'answer' }, canvas, now));

  return {
    element,
    show(next) {
      face = next;
      pixels = (state.painted.get(face) ?? face.gray).slice();
      blur = blurred(face.gray);
      history = [];
      parts = null;
      other.replaceChildren(...state.faces.map((f, i) => make('option', { value: i }, f.name)));
      other.selectedIndex = state.faces.length > 1 ? Number(state.faces[0] === face) : 0;
      bars(now, net.classes, face.probabilities, face.probabilities);
      choose(tool);
      if (state.painted.has(face)) ask();
    },
  };
}
