// Elements, pictures and numbers.
import { t } from './i18n.js';

export const SIDE = 48, PIXELS = SIDE * SIDE;

// Creates an element: make('p', { class: 'note', onclick: f }, 'text', child, …).
export function make(tag, attributes = {}, ...children) {
  const node = tag.startsWith('svg:')
    ? document.createElementNS('http://www.w3.org/2000/svg', tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name.startsWith('aria-')) node.setAttribute(name, String(value));
    else if (name in node && !tag.startsWith('svg:') && name !== 'list') node[name] = value;
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
}

export const percent = (v, digits = 1) => `${(100 * v).toFixed(digits)} %`;
export const short = v => !Number.isFinite(v) ? '–' : v === 0 ? '0'
  : Math.abs(v) >= 0.001 && Math.abs(v) < 1e5 ? String(Number(v.toPrecision(4))) : v.toExponential(2);
export const argmax = values => values.reduce((best, v, i) => (v > values[best] ? i : best), 0);
export const numbers = bytes => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);

// A colour of the style sheet, as a canvas understands it.
export function css(name) {
  const probe = make('span', { hidden: true });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

// Colours of a value in [0, 1] and of one in [−1, 1].
const SEQUENTIAL = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];
function between(stops, at) {
  const x = Math.min(Math.max(at, 0), 1) * (stops.length - 1), i = Math.min(Math.floor(x), stops.length - 2);
  return stops[i].map((v, c) => v + (x - i) * (stops[i + 1][c] - v));
}
export const sequential = v => between(SEQUENTIAL, v);
export const diverging = v => (v >= 0 ? [200, 30, 40] : [30, 80, 200]);

const SHADES = 256; // colours of a map, looked up

// Colours of a layer's values: 0 is the ground; red above, blue below where there is something below.
export function mapColors(values) {
  let low = 0, high = 0;
  for (const v of values) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const top = Math.max(high, -low) || 1;
  const shade = low < 0 ? v => diverging(v).map(c => 255 + Math.abs(v) * (c - 255)) : sequential;
  const shades = Array.from({ length: 2 * SHADES + 1 }, (_, i) => shade(i / SHADES - 1));
  const color = v => shades[SHADES + Math.round(SHADES * v / top)] ?? shades[SHADES]; // not a number: the ground
  return { color, low, high };
}

// Paints values [h, w] into a canvas of that size; color(v) returns [r, g, b].
export function paint(canvas, values, w, h, color) {
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext('2d'), image = context.createImageData(w, h);
  for (let i = 0, at = 0; i < w * h; i++) {
    const rgb = color(values[i], i);
    for (let c = 0; c < 3; c++) image.data[at++] = rgb[c];
    image.data[at++] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
// A scale of colours between two words; color(v) takes v in [0, 1].
export function colorKey(low, high, color) {
  const strip = paint(make('canvas', { 'aria-hidden': 'true' }), Float32Array.from({ length: 64 }, (_, i) => i / 63), 64, 1, color);
  return make('p', { class: 'key note' }, make('span', {}, low), strip, make('span', {}, high));
}
// Two colours around white, from −1 to 1, on the scale of a key.
export const around = v => diverging(2 * v - 1).map(c => 255 + Math.abs(2 * v - 1) * (c - 255));

export const gray = v => [v, v, v];
export const paintFace = (canvas, face) => paint(canvas, face, SIDE, SIDE, gray);
export function faceCanvas(face, label) {
  return paintFace(make('canvas', { class: 'face', role: 'img', 'aria-label': label }), face);
}

// Paints a map over a face. signed: red above 0, blue below; else the sequential colours.
export function overlay(canvas, face, map, scale, opacity, signed) {
  return paint(canvas, face, SIDE, SIDE, (v, i) => {
    const s = Math.max(-1, Math.min(1, map[i] / (scale || 1)));
    const color = signed ? diverging(s) : sequential(Math.abs(s));
    const share = signed ? opacity * Math.abs(s) : opacity;
    return color.map(c => v + share * (c - v));
  });
}

// Probabilities as bars; `thin` are shown as a mark on each bar. Updates in place.
export function bars(at, names, values, thin = null) {
  if (at.children.length !== names.length) {
    at.replaceChildren(...names.map(() => make('div', { class: 'bar' }, make('span', { class: 'name' }),
      make('div', { class: 'track' }, make('div', { class: 'fill' }), make('i', { class: 'mark' })), make('output'))));
  }
  const best = argmax(values);
  names.forEach((name, k) => {
    const [label, track, output] = at.children[k].children;
    label.textContent = t(name);
    track.children[0].style.width = `${100 * values[k]}%`;
    track.children[0].style.background = classColor(k);
    track.children[1].style.left = thin ? `${100 * thin[k]}%` : '-9px';
    output.textContent = percent(values[k], values[k] < 0.9995 ? 1 : 0);
    at.children[k].classList.toggle('best', k === best);
  });
  return at;
}

const COLORS = ['#d1495b', '#7a9e3f', '#8e6bbf', '#e0a100', '#3b7dd8', '#e07b39', '#7d8590'];
export const classColor = k => COLORS[k % COLORS.length];

export function download(name, content, kind) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: kind }));
  const link = make('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// Runs slow work with a line that tells of it and a button that cancels it, as `from` does. work(signal, progress).
export async function slow(at, work, from = null) {
  const stop = new AbortController(), cancel = () => stop.abort(), note = make('output', {}, t('working'));
  const row = make('p', { class: 'slow', role: 'status' }, make('progress'), note,
    make('button', { type: 'button', onclick: cancel }, t('cancel')));
  from?.addEventListener('abort', cancel);
  at.replaceChildren(row);
  const progress = message => {
    if (message.progress === undefined) return;
    note.textContent = message.total ? `${message.progress} / ${message.total}` : t('so_far', message.progress);
  };
  try {
    return await work(stop.signal, progress);
  } catch (error) {
    if (!error.isStale) at.append(make('p', { class: 'error', role: 'alert' }, error.message));
    return null;
  } finally {
    row.remove();
  }
}

// Makes a row of numbers into text for a table cell.
export function table(head, rows) {
  return make('table', {}, make('thead', {}, make('tr', {}, ...head.map(h => make('th', { scope: 'col' }, h)))),
    make('tbody', {}, ...rows.map(row => make('tr', {}, ...row.map(cell => make('td', {}, cell))))));
}
