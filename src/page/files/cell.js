// One number of a feature map: what it sees of the face, and the arithmetic that makes it.
import { call } from './api.js';
import { make, numbers, paintFace, short, SIDE, table } from './dom.js';
import { t } from './i18n.js';

const SHOWN = 6; // input channels whose arithmetic is written out
let newest = 0;

// The layers that a layer reads: the standardised pixels are called `input`.
function inputOf(net, layer) {
  if (layer.kind !== 'Residual' && layer.geometry?.branch === undefined) return layer.input ?? 'input';
  const first = net.layers[net.layers.indexOf(layer) + 1];
  return first?.input ?? 'input';
}

// Cells that a window of a convolution or pooling reads: [row, column] or null in the padding.
function windowCells({ kernel, stride, padding, dilation = [1, 1] }, row, column, h, w) {
  const cells = [];
  for (let i = 0; i < kernel[0]; i++) {
    for (let j = 0; j < kernel[1]; j++) {
      const r = row * stride[0] - padding[0] + i * dilation[0], c = column * stride[1] - padding[1] + j * dilation[1];
      cells.push(r >= 0 && c >= 0 && r < h && c < w ? [r, c] : null);
    }
  }
  return cells;
}

// A square of numbers; a click on one goes to that cell.
function matrix(values, columns, go = null) {
  const top = Math.max(...values.map(Math.abs), 1e-12), rows = [];
  values.forEach((v, i) => {
    if (i % columns === 0) rows.push(make('tr'));
    const cell = make('td', {}, go?.[i] ? make('button', { type: 'button', onclick: go[i] }, short(v)) : short(v));
    cell.style.background = `color-mix(in srgb, ${v >= 0 ? '#c81e28' : '#1e50c8'} ${(45 * Math.abs(v) / top).toFixed(0)}%, transparent)`;
    rows[rows.length - 1].append(cell);
  });
  return make('table', { class: 'matrix' }, make('tbody', {}, ...rows));
}

export async function cellPanel(at, { state, maps, layer, filter, row, column, go }) {
  const net = state.net, number = ++newest, name = inputOf(net, layer), out = make('div');
  at.replaceChildren(make('h3', { id: 'cell-title' }, t('cell_title', layer.name, filter, row, column)), out);
  const [own, input] = await Promise.all([maps(layer.name), maps(name)]);
  const kernel = await call('kernel', { layer: layer.name, filter }, undefined, { lane: 'kernel' }).catch(() => ({ bytes: new Uint8Array(0) }));
  if (number !== newest) return;
  const [, h, w] = own.shape, [ci, hi, wi] = input.shape;
  const value = own.values[(filter * h + row) * w + column];
  const read = (k, r, c) => input.values[(k * hi + r) * wi + c];
  const to = (k, cell) => (cell && name !== 'input' ? () => go(name, k, ...cell) : null);
  const parts = [receptiveField(state, layer, row, column)];
  const lines = [];
  let sum = null;
  const geometry = layer.geometry ?? {};

  if (kernel.shape && geometry.kernel) { // convolution
    const weights = numbers(kernel.bytes), each = geometry.kernel[0] * geometry.kernel[1], cells = windowCells(geometry, row, column, hi, wi);
    const first = Math.floor(filter / (net.layers.find(l => l === layer).output[0] / geometry.groups)) * kernel.shape[0];
    const channels = Array.from({ length: kernel.shape[0] }, (_, k) => {
      const x = cells.map(cell => (cell ? read(first + k, ...cell) : 0)), weight = [...weights.subarray(k * each, (k + 1) * each)];
      return { k: first + k, x, weight, sum: x.reduce((s, v, i) => s + v * weight[i], 0) };
    });
    sum = channels.reduce((s, channel) => s + channel.sum, kernel.bias);
    lines.push(t('conv_formula', kernel.shape[0], geometry.kernel.join(' × ')));
    channels.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
    for (const channel of channels.slice(0, SHOWN)) {
      parts.push(make('div', { class: 'product' }, make('figure', {}, matrix(channel.x, geometry.kernel[1], cells.map(cell => to(channel.k, cell))), make('figcaption', {}, t('patch_of', name, channel.k))),
        make('span', {}, '·'), make('figure', {}, matrix(channel.weight, geometry.kernel[1]), make('figcaption', {}, t('kernel_caption'))),
        make('span', {}, `= ${short(channel.sum)}`)));
    }
    const rest = channels.slice(SHOWN).reduce((s, channel) => s + channel.sum, 0);
    const terms = channels.slice(0, SHOWN).map(channel => short(channel.sum));
    if (channels.length > SHOWN) terms.push(`${short(rest)} (${t('other_channels', channels.length - SHOWN)})`);
    lines.push(`${terms.join(' + ')} + ${short(kernel.bias)} (${t('bias')}) = ${short(sum)}`);
  } else if (geometry.kernel) { // pooling
    const cells = windowCells(geometry, row, column, hi, wi), x = cells.map(cell => (cell ? read(filter, ...cell) : -Infinity));
    const seen = x.filter(Number.isFinite), isMax = layer.kind.includes('Max');
    sum = isMax ? Math.max(...seen) : seen.reduce((a, b) => a + b, 0) / seen.length;
    parts.push(matrix(x.map(v => (Number.isFinite(v) ? v : 0)), geometry.kernel[1], cells.map(cell => to(filter, cell))));
    lines.push(`${isMax ? 'max' : t('mean')} = ${short(sum)}`);
  } else if (kernel.gamma !== undefined) {
    const x = read(filter, row, column), sd = Math.sqrt(kernel.variance + kernel.eps);
    sum = kernel.gamma * (x - kernel.mean) / sd + kernel.beta;
    lines.push('γ · (x − μ) / √(σ² + ε) + β', `${short(kernel.gamma)} · (${short(x)} − ${short(kernel.mean)}) / ${short(sd)} + ${short(kernel.beta)} = ${short(sum)}`);
    parts.push(button(name, filter, row, column));
  } else if (kernel.shape) { // linear layer
    const weights = numbers(kernel.bytes), terms = [...weights].map((weight, i) => ({ i, x: input.values[i], weight, product: weight * input.values[i] }));
    sum = terms.reduce((s, term) => s + term.product, kernel.bias);
    terms.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
    lines.push(t('linear_formula', weights.length), `Σ + ${short(kernel.bias)} (${t('bias')}) = ${short(sum)}`);
    parts.push(table([t('input'), 'x', t('weight'), t('product')], terms.slice(0, 12).map(({ i, x, weight, product }) => {
      const k = Math.floor(i / (hi * wi)), cell = [Math.floor(i % (hi * wi) / wi), i % wi];
      return [button(name, k, ...cell), short(x), short(weight), short(product)];
    })));
  } else if (geometry.branch) {
    const branch = await maps(geometry.branch), b = branch.values[(filter * h + row) * w + column], x = read(filter, row, column);
    sum = x + b;
    lines.push(`x + ${t('branch')}: ${short(x)} + ${short(b)} = ${short(sum)}`);
    parts.push(button(name, filter, row, column), button(geometry.branch, filter, row, column));
  } else if (layer.kind.startsWith('Global')) {
    const map = input.values.subarray(filter * hi * wi, (filter + 1) * hi * wi);
    sum = map.reduce((a, b) => a + b, 0) / map.length;
    lines.push(`${t('mean')} (${hi} × ${wi}) = ${short(sum)}`);
    parts.push(matrix([...map], wi, [...map].map((_, i) => to(filter, [Math.floor(i / wi), i % wi]))));
  } else {
    const x = ci === own.shape[0] ? read(filter, row, column) : value;
    const isRelu = geometry.function === 'relu';
    if (isRelu) sum = Math.max(0, x);
    lines.push(isRelu ? `max(${short(x)}, 0) = ${short(sum)}` : t('from_to', short(x), short(value)));
    if (ci === own.shape[0]) parts.push(button(name, filter, row, column));
  }
  if (sum !== null) lines.push(t('network_says', short(value)));
  out.replaceChildren(...lines.map(line => make('p', { class: 'formula' }, line)), make('div', { class: 'cards' }, ...parts));
  document.body.dataset.cell = sum === null || Math.abs(sum - value) <= 1e-3 * Math.max(1, Math.abs(value)) ? 'exact' : `${sum} ≠ ${value}`; // for the tests

  function button(to, k, r, c) {
    if (to === 'input') return make('span', {}, t('pixels'));
    return make('button', { type: 'button', onclick: () => go(to, k, r, c) }, `${to} #${k} (${r}, ${c})`);
  }
}

// The face with the pixels that a cell depends on.
function receptiveField(state, layer, row, column) {
  const canvas = paintFace(make('canvas', { class: 'face big', role: 'img', 'aria-label': t('receptive_field') }), state.face.gray);
  const { size, jump, start } = layer.field, context = canvas.getContext('2d');
  const first = cell => (size >= SIDE ? 0 : Math.round(start + cell * jump - (size - 1) / 2));
  const side = Math.min(size, SIDE);
  context.strokeStyle = '#ff3b5c';
  context.strokeRect(first(column) - 0.5, first(row) - 0.5, side + 1, side + 1);
  return make('figure', {}, canvas, make('figcaption', { class: 'note' }, t('field_note', side)));
}
