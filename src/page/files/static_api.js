// The transport of an exported page: answers were computed beforehand and lie in `data/`, one script each,
// because a page that is opened from disk may load scripts but not fetch files.

import { t } from './i18n.js';

export const isStatic = true;

export class CallError extends Error {
  get isStale() { return false; }
}

const asked = new Map(), waiting = new Map();
window.fer_data = (name, answer) => waiting.get(name)(answer);

const absent = () => new CallError(t('absent'));

function load(name) {
  if (!asked.has(name)) {
    asked.set(name, new Promise((done, fail) => {
      waiting.set(name, done);
      const script = document.createElement('script');
      script.src = `data/${name}.js`;
      script.onerror = () => fail(absent());
      document.head.append(script);
    }));
  }
  return asked.get(name);
}

const bytesOf = text => Uint8Array.from(atob(text ?? ''), c => c.charCodeAt(0));
const pick = (answer, bytes) => ({ ...answer.json, bytes });

// The pixels that the strongest cells of a filter see, as src/explain/filters/top_activations.rs cuts them.
async function patches(answer, layer) {
  const faces = bytesOf((await load('faces')).bytes), side = Math.min(48, layer.size), out = [];
  const first = cell => (layer.size >= 48 ? 0 : Math.round(layer.start + cell * layer.jump - (layer.size - 1) / 2));
  const inside = v => Math.min(47, Math.max(0, v));
  for (const { face, row, column } of answer.top) {
    for (let p = 0; p < side * side; p++) {
      const y = inside(first(row) + Math.floor(p / side)), x = inside(first(column) + p % side);
      out.push(faces[face * 2304 + y * 48 + x]);
    }
  }
  return Uint8Array.from(out);
}

export async function call(name, parameters = {}, _bytes = null, options = {}) {
  const { layer, filter, method } = parameters;
  if (name === 'set') {
    const all = await load('faces'), gray = bytesOf(all.bytes), { json } = all, of = list => parameters.faces.map(i => list[i]);
    const bytes = new Uint8Array(2304 * parameters.faces.length);
    parameters.faces.forEach((i, k) => bytes.set(gray.subarray(i * 2304, (i + 1) * 2304), k * 2304));
    return { faces: parameters.faces, names: of(json.names), labels: of(json.labels), probabilities: of(json.probabilities), bytes };
  }
  const { json: net } = await load('hello'), kind = net.layers.find(l => l.name === layer)?.kind;
  const isThere = { maps: () => options.face.number < net.faces, filter: () => ['Conv2D', 'Linear'].includes(kind), ascent: () => filter < net.ascents };
  if (isThere[name] && !isThere[name]()) throw absent();
  if (name === 'maps') {
    const answer = await load(`maps-${options.face.number}-${layer}`);
    return pick(answer, bytesOf(answer.bytes));
  }
  if (name === 'kernel' || name === 'filter') {
    const answer = (await load(`${name}-${layer}`))[filter];
    if (name === 'kernel') return pick(answer, bytesOf(answer.bytes));
    return pick(answer, await patches(answer.json, net.layers.find(l => l.name === layer).field));
  }
  const files = { ascent: `ascent-${layer}-${filter}-${method}`, map: `map-${parameters.layout}` };
  const answer = await load(files[name] ?? name);
  return pick(answer, bytesOf(answer.bytes));
}
