// The microscope: layers, feature maps, filters, cells.
import { call } from './api.js';
import { cellPanel } from './cell.js';
import { around, colorKey, make, mapColors, numbers, paint, sequential, short } from './dom.js';
import { filterPanel } from './filter.js';
import { t } from './i18n.js';

const GAP = 2, WIDE = 880; // of the grid of maps, in pixels

function shapeOf(layer) {
  return layer.output.slice(1).every(n => n === 1) ? String(layer.output[0]) : layer.output.join(' × ');
}

// Feature maps of the chosen face by layer, as { shape, values }.
function mapStore(state) {
  let face = null, known = new Map();
  return async layer => {
    if (face !== state.face) {
      face = state.face;
      known = new Map();
    }
    if (!known.has(layer)) {
      const asked = call('maps', { layer }, face.gray, { lane: `maps-${layer}`, face })
        .then(answer => ({ shape: answer.shape, values: numbers(answer.bytes) }));
      asked.catch(() => known.delete(layer));
      known.set(layer, asked);
      if (known.size > 40) known.delete(known.keys().next().value);
    }
    return known.get(layer);
  };
}

export function microscopeTab(at, state) {
  const net = state.net, maps = mapStore(state);
  const plan = make('nav', { class: 'plan', 'aria-label': t('architecture') });
  const title = make('h2', { id: 'layer-title' }), about = make('p', { class: 'note', id: 'layer-about' });
  const key = make('div'), grid = make('canvas', { id: 'map-grid', tabIndex: 0, role: 'img' });
  const filterAt = make('section', { id: 'filter' }), cellAt = make('section', { id: 'cell' });
  let layer = net.layers.find(l => l.output?.[1] > 1) ?? net.layers[0], filter = 0, tiles = null, shown = null, panel = null;

  const widest = Math.max(...net.layers.map(l => l.output?.[0] ?? 1));
  plan.replaceChildren(make('h2', {}, t('architecture')), make('p', { class: 'note' },
    t('totals', net.parameters.toLocaleString('en'), (net.macs / 1e6).toFixed(0), net.side, (net.macs / 1e8).toFixed(2))), ...net.layers.map(l => {
    const block = make('i', { class: `block ${l.kind}` });
    block.style.width = `${4 + 44 * Math.sqrt((l.output?.[0] ?? 1) / widest)}px`;
    block.style.height = `${4 + 18 * (l.output?.[1] ?? 1) / net.side}px`;
    const row = make('button', { type: 'button', 'data-layer': l.name, onclick: () => open(l) },
      make('span', { class: 'picture' }, block), make('span', {}, l.name), make('small', {}, l.output ? shapeOf(l) : ''));
    row.style.paddingInlineStart = `${8 + 18 * l.depth}px`;
    return row;
  }));

  // One canvas for all maps of a layer: 256 elements would take longer to lay out than the network takes.
  async function drawGrid() {
    const own = layer, { shape: [c, h, w], values } = await maps(own.name);
    if (layer !== own) return false;
    const tile = h === 1 ? 12 : Math.max(h, Math.min(96, Math.floor(WIDE / Math.ceil(Math.sqrt(c))) - GAP));
    const columns = Math.max(1, Math.floor(WIDE / (tile + GAP))), rows = Math.ceil(c / columns);
    grid.width = columns * (tile + GAP);
    grid.height = rows * (tile + GAP);
    const context = grid.getContext('2d'), { color, low, high } = mapColors(values), one = document.createElement('canvas');
    context.imageSmoothingEnabled = false;
    for (let k = 0; k < c; k++) {
      paint(one, values.subarray(k * h * w, (k + 1) * h * w), w, h, color);
      context.drawImage(one, (k % columns) * (tile + GAP), Math.floor(k / columns) * (tile + GAP), tile, tile);
    }
    tiles = { tile: tile + GAP, columns, count: c };
    mark();
    about.textContent = t('layer_about', t(`kind_${layer.kind}`), shapeOf(layer), layer.parameters.toLocaleString('en'),
      layer.field ? Math.min(layer.field.size, net.side) : '–', short(low), short(high));
    const top = Math.max(high, -low);
    key.replaceChildren(low < 0 ? colorKey(short(-top), short(top), around) : colorKey('0', short(top), sequential));
    grid.setAttribute('aria-label', t('maps_label', c, layer.name));
    return true;
  }
  function mark() {
    if (!tiles) return;
    const context = grid.getContext('2d'), x = (filter % tiles.columns) * tiles.tile, y = Math.floor(filter / tiles.columns) * tiles.tile;
    context.strokeStyle = '#19b37d';
    context.lineWidth = 2;
    context.strokeRect(x + 1, y + 1, tiles.tile - GAP - 2, tiles.tile - GAP - 2);
  }

  async function open(next, wanted = 0, cell = null) {
    layer = next;
    filter = wanted;
    for (const button of plan.querySelectorAll('button')) button.toggleAttribute('aria-current', button.dataset.layer === layer.name);
    title.textContent = layer.name;
    if (!state.face) return;
    await openFilter(filter, cell);
  }
  async function openFilter(k, cell = null) {
    filter = k;
    panel?.pause();
    try {
      if (!await drawGrid()) return;
      document.body.dataset.layer = layer.name; // for the tests of the page
      if (panel?.layer !== layer || panel.filter !== filter) {
        panel = filterPanel(filterAt, { state, maps, layer, filter, openCell, openFace: face => state.choose(face) });
      }
      await panel.showMap();
      panel.resume();
      if (cell) openCell(...cell);
      else cellAt.replaceChildren();
    } catch (error) {
      if (!error.isStale) about.textContent = error.message;
    }
  }
  function openCell(row, column) {
    cellPanel(cellAt, { state, maps, layer, filter, row, column, go: (name, k, r, c) => {
      const next = net.layers.find(l => l.name === name);
      if (next) open(next, k, [r, c]);
    } });
  }

  grid.addEventListener('click', event => {
    const box = grid.getBoundingClientRect(), scale = grid.width / box.width;
    const k = Math.floor((event.clientY - box.top) * scale / tiles.tile) * tiles.columns + Math.floor((event.clientX - box.left) * scale / tiles.tile);
    if (k < tiles.count) openFilter(k);
  });
  grid.addEventListener('keydown', event => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -tiles.columns, ArrowDown: tiles.columns }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const k = filter + by;
    if (k >= 0 && k < tiles.count) openFilter(k);
  });

  at.replaceChildren(make('div', { class: 'microscope' }, plan,
    make('div', {}, title, about, key, make('div', { class: 'scroll' }, grid), filterAt, cellAt)));
  const listener = () => {
    if (at.hidden || !state.face || state.face === shown) return;
    shown = state.face;
    open(layer, filter);
  };
  listener.pause = () => panel?.pause();
  state.listeners.push(listener);
}
