'use strict';
const $ = id => document.getElementById(id);
const show = v => String(Math.round(v * 100) / 100).replace('-', '−');
const cell = (text, kind) => { const td = document.createElement('td'); td.textContent = text;
  if (kind) td.className = kind; return td; };
function table(target, heads, rows) {
  target.replaceChildren();
  const head = target.createTHead().insertRow();
  heads.forEach(([text, kind]) => { const th = document.createElement('th'); th.textContent = text;
    if (kind) th.className = kind; head.append(th); });
  const body = target.createTBody();
  return rows.map(cells => { const row = body.insertRow(); cells.forEach(c => row.append(c)); return row; });
}

// 1. The scalar tape: the same rules as src/autograd/scalar.rs.
let sStep = 4;
function scalar() {
  const a = +$('a').value, b = +$('b').value;
  $('a-shown').textContent = show(a); $('b-shown').textContent = show(b);
  const names = ['a', 'b', 'a·b', 'y'], value = [a, b, a * b, a * b + a];
  const inputs = [[], [], [[0, b, 'b'], [1, a, 'a']], [[2, 1, '1'], [0, 1, '1']]];
  const grads = [null, null, null, null], said = [], marks = {};
  for (let s = 0; s < Math.min(sStep, 4); s++)
    said.push(`forward: node ${s}, ${['leaf', 'leaf', 'mul', 'add'][s]}: ${names[s]} = ${show(value[s])}`);
  const visits = [];
  [3, 2].forEach(node => inputs[node].forEach(edge => visits.push([node, edge])));
  if (sStep > 4) { grads[3] = 1; said.push('backward starts with ∂y/∂y = 1'); }
  for (let s = 0; s < sStep - 5 && s < visits.length; s++) {
    const [node, [to, derivative, name]] = visits[s];
    const first = grads[to] === null, before = grads[to] ?? 0;
    grads[to] = before + grads[node] * derivative;
    Object.keys(marks).forEach(k => delete marks[k]);
    marks[node] = 'now'; marks[to] = 'gets';
    said.push(`${['', '', 'mul', 'add'][node]} hands ${show(grads[node])} · ${name} = ${show(grads[node] * derivative)} to ` +
      names[to] + (first ? '' : `: += because a gradient of ${show(before)} is already there`));
  }
  if (sStep >= 9) said.push(`done: ∂y/∂a = b + 1 = ${show(b + 1)}, ∂y/∂b = a = ${show(a)}`);
  const rows = table($('s-table'), [['node'], ['op', 'text'], ['inputs', 'text'], ['value'], ['gradient']],
    [0, 1, 2, 3].map(i => [cell(i), cell(['leaf', 'leaf', 'mul', 'add'][i], 'text'),
      cell(inputs[i].map(e => names[e[0]]).join(', ') || '–', 'text'),
      cell(i < sStep ? `${names[i]} = ${show(value[i])}` : '', 'text'), cell(grads[i] === null ? '' : show(grads[i]))]));
  rows.forEach((row, i) => { if (marks[i]) row.className = marks[i]; else if (i >= sStep) row.className = 'todo'; });
  $('s-say').textContent = said.at(-1) ?? 'press step';
}
['a', 'b'].forEach(id => $(id).addEventListener('input', scalar));
$('s-next').onclick = () => { sStep = Math.min(9, sStep + 1); scalar(); };
$('s-back').onclick = () => { sStep = Math.max(0, sStep - 1); scalar(); };
$('s-all').onclick = () => { sStep = 9; scalar(); };
scalar();

// 2. One channel, 5×5, windows of 3×3. ȳ is all ones, so a pixel's gradient is a sum of weights.
const x = [0, 0, 1, 0, 0, 0, 1, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 1, 0, 0, 0, 1, 0, 0];
const w = [-1, 0, 1, -2, 0, 2, -1, 0, 1];
let chosen = ['x', 12];
const tint = (v, most) => `rgba(${v < 0 ? '0,101,168' : '207,84,0'},${Math.min(.75, Math.abs(v) / (most || 1) * .75)})`;
function convolution() {
  const y = Array.from({ length: 9 }, (_, k) => w.reduce((s, wv, t) =>
    s + wv * x[(Math.floor(k / 3) + Math.floor(t / 3)) * 5 + k % 3 + t % 3], 0));
  const paths = p => y.map((_, k) => [k, Math.floor(p / 5) - Math.floor(k / 3), p % 5 - k % 3])
    .filter(([, u, v]) => u >= 0 && u < 3 && v >= 0 && v < 3).map(([k, u, v]) => [k, u * 3 + v]);
  const gx = x.map((_, p) => paths(p).reduce((s, [, t]) => s + w[t], 0));
  const [where, at] = chosen, lit = { x: new Set(), w: new Set(), y: new Set() };
  if (where === 'x') paths(at).forEach(([k, t]) => { lit.y.add(k); lit.w.add(t); });
  else for (let t = 0; t < 9; t++) {
    lit.x.add((Math.floor(at / 3) + Math.floor(t / 3)) * 5 + at % 3 + t % 3); lit.w.add(t); }
  $('c-grids').replaceChildren(
    ...[['x', 'x: drag, or click', x, 5, true], ['w', 'w: drag', w, 3, true], ['y', 'y: click', y, 3, false],
      ['x̄', 'gradient of x for ȳ = 1', gx, 5, false]].map(([name, title, values, columns, drags]) => {
      const box = document.createElement('div'), grid = document.createElement('div'), h = document.createElement('h4');
      h.textContent = title; grid.className = 'grid'; grid.style.gridTemplateColumns = `repeat(${columns}, auto)`;
      const most = Math.max(...values.map(Math.abs));
      values.forEach((v, k) => {
        const d = document.createElement('div'); d.textContent = show(v); d.style.background = tint(v, most);
        if (drags) d.classList.add('drag');
        if (lit[name]?.has(k)) d.classList.add('lit');
        if ((name === where || name === 'x̄' && where === 'x') && k === at) d.classList.add('chosen');
        d.onpointerdown = e => grab(e, name, k, drags ? values : null);
        grid.append(d);
      });
      box.append(h, grid); return box;
    }));
  $('c-say').textContent = where === 'x'
    ? `Pixel (${Math.floor(at / 5)}, ${at % 5}) is read by ${paths(at).length} windows. Gradient = Σ w·ȳ over these paths = ` +
      paths(at).map(([, t]) => show(w[t])).join(' + ').replaceAll('+ −', '− ') + ` = ${show(gx[at])}. ` +
      'The output left of another meets the pixel with the weight right of the other: that is why the adjoint mirrors the filter.'
    : `y(${Math.floor(at / 3)}, ${at % 3}) = ` + Array.from({ length: 9 }, (_, t) => [w[t],
      x[(Math.floor(at / 3) + Math.floor(t / 3)) * 5 + at % 3 + t % 3]]).filter(([a, b]) => a && b)
      .map(([a, b]) => `${show(a)}·${show(b)}`).join(' + ') + ` = ${show(y[at])}`;
}
function grab(e, name, k, values) {
  if (name === 'x' || name === 'y') chosen = [name, k];
  if (name === 'x̄') chosen = ['x', k];
  convolution();
  if (!values) return;
  e.preventDefault();
  const from = e.clientY, old = values[k];
  const move = m => { values[k] = Math.max(-9, Math.min(9, old + Math.round((from - m.clientY) / 12))); convolution(); };
  const end = () => { removeEventListener('pointermove', move); removeEventListener('pointerup', end); };
  addEventListener('pointermove', move); addEventListener('pointerup', end);
}
convolution();

// 3. The recorded pass. Step k < n computes node k; the steps after visit the nodes from the last.
const nodes = TRACE.nodes, visits = nodes.filter(n => n.op !== 'leaf').reverse();
const edges = new Map(), has = new Set([nodes.length - 1]);
visits.forEach(n => edges.set(n.node, n.inputs.filter(i => i !== null).map(i => {
  const again = has.has(i); has.add(i); return [i, again]; })));
const last = nodes.length + visits.length - 1;
let nStep = nodes.length;
$('n-at').max = last;
$('n-what').textContent = `${TRACE.network}, one picture, loss: cross-entropy of ${TRACE.class} = ${TRACE.loss.toFixed(4)}. ` +
  `${nodes.length} nodes, ${TRACE.total.parameters.toLocaleString('en')} parameters, ` +
  `${(TRACE.total.flop[0] / 1e6).toFixed(2)} MFLOP forward and ${(TRACE.total.flop[1] / 1e6).toFixed(2)} backward.`;
const kilo = v => v ? (v / 1e3).toFixed(1) : '–', label = n => n.name || `node ${n.node}`;
const rows = table($('n-table'), [['node'], ['op', 'text'], ['name', 'text'], ['inputs', 'text'], ['shape', 'text'],
  ['|ȳ|'], ['parameters'], ['kMAC →'], ['←'], ['kB →'], ['←'], ['ms →'], ['←'], ['saved kB']],
  nodes.map(n => [cell(n.node), cell(n.op, 'text'), cell(n.name, 'text'), cell(n.inputs.map(i => i ?? '–').join(', ') || '–', 'text'),
    cell(n.shape.join('×') || '1', 'text'), cell(''), cell(n.parameters || '–'), cell(kilo(n.macs[0])), cell(kilo(n.macs[1])),
    cell(kilo(n.bytes[0])), cell(kilo(n.bytes[1])), cell(n.milliseconds[0].toFixed(3)), cell(n.milliseconds[1].toFixed(3)),
    cell(kilo(n.saved_bytes))]));
const GRADIENT = 5; // its column
function draw(picture, caption, signed) {
  const figure = document.createElement('figure'), canvas = document.createElement('canvas');
  const text = document.createElement('figcaption'), { width, values } = picture, height = values.length / width;
  canvas.width = width; canvas.height = Math.max(1, height);
  const context = canvas.getContext('2d'), image = context.createImageData(canvas.width, canvas.height);
  const low = Math.min(...values), high = Math.max(...values), most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  values.forEach((v, k) => { const t = signed ? v / most : (v - low) / ((high - low) || 1);
    const c = signed ? (t < 0 ? [255 + 255 * t, 255 + 154 * t, 255 + 87 * t] : [255 - 48 * t, 255 - 171 * t, 255 - 255 * t])
      : [255 * t, 255 * t, 255 * t];
    image.data.set([...c, 255], 4 * k); });
  context.putImageData(image, 0, 0);
  text.textContent = `${caption}: ${picture.range.map(v => v.toPrecision(3)).join(' to ')}`.replaceAll('-', '−');
  if (values.length > 1) figure.append(canvas);
  else text.textContent = `${caption.split(',')[0]}: ${values[0].toPrecision(4)}`.replaceAll('-', '−');
  figure.append(text); return figure;
}
function network() {
  $('n-at').value = nStep;
  const back = nStep >= nodes.length, node = back ? visits[nStep - nodes.length] : nodes[nStep];
  const seen = new Set([nodes.length - 1]);
  visits.slice(0, back ? nStep - nodes.length + 1 : 0).forEach(v => edges.get(v.node).forEach(([i]) => seen.add(i)));
  rows.forEach((row, i) => {
    row.className = i === node.node ? 'now' : !back && i > nStep ? 'todo' : '';
    row.cells[GRADIENT].textContent = back && seen.has(i) && nodes[i].gradient !== null ? nodes[i].gradient.toExponential(2) : '';
  });
  const edge = back ? edges.get(node.node) : node.inputs.filter(i => i !== null).map(i => [i, false]);
  const box = $('n-box'), row = rows[node.node]; // the row in the middle of its box; the page stays
  box.scrollTop = row.offsetTop - box.clientHeight / 2;
  edge.forEach(([i]) => { if (i !== node.node) rows[i].className = back ? 'gets' : 'reads'; });
  const say = $('n-say'); say.replaceChildren();
  if (!back) say.textContent = `forward, node ${node.node}: ${node.op === 'leaf' ? 'a leaf' : node.op} ` +
    `${label(node)} [${node.shape.join(', ')}]` + (edge.length ? ` from ${edge.map(([i]) => label(nodes[i])).join(', ')}` : '');
  else {
    say.append(`backward, node ${node.node}: ${node.op} ${node.name} has its whole gradient ` +
      `(norm ${node.gradient?.toExponential(2) ?? '–'}) and hands it on to `);
    edge.forEach(([i, again], k) => { if (k) say.append(', '); if (again) { const b = document.createElement('span');
      b.className = 'plus'; b.textContent = '+= '; say.append(b); } say.append(label(nodes[i])); });
    if (edge.some(e => e[1])) say.append('. += because two paths meet there.');
  }
  $('n-look').replaceChildren(...[[node.pictures?.[0], 'value', false], back && [node.pictures?.[1], 'gradient', true]]
    .filter(p => p && p[0]).map(([p, what, signed]) => draw(p, `${what} of ${label(node)}, first channel`, signed)));
}
const go = to => { nStep = Math.max(0, Math.min(last, to)); network(); };
let timer = 0;
const stop = () => { clearInterval(timer); timer = 0; $('n-play').textContent = 'play'; };
$('n-next').onclick = () => { stop(); go(nStep + 1); };
$('n-back').onclick = () => { stop(); go(nStep - 1); };
$('n-at').oninput = () => { stop(); go(+$('n-at').value); };
$('n-play').onclick = () => { if (timer) return stop();
  if (nStep === last) go(0);
  $('n-play').textContent = 'pause'; timer = setInterval(() => { go(nStep + 1); if (nStep === last) stop(); }, 700); };
network();
