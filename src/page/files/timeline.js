// Expressions over a session: lines for one face, a CSV of all, a picture.
import { classColor, css, download, make } from './dom.js';
import { t } from './i18n.js';

const MOST = 50000; // rows that are kept
const PAUSE = 250;  // milliseconds between two drawings
const DRAWN = 1200; // rows that are drawn, evenly spaced

export class Timeline {
  constructor(net) {
    this.net = net;
    this.rows = []; // { seconds, id, box, smoothed, raw }
    this.canvas = make('canvas', { id: 'timeline', width: 1200, height: 300, role: 'img', 'aria-label': t('timeline') });
    this.picker = make('select', { id: 'timeline-face', 'aria-label': t('face'), onchange: () => this.draw() });
    const legend = net.classes.map((name, k) => {
      const dot = make('i');
      dot.style.background = classColor(k);
      return make('span', {}, dot, t(name));
    });
    this.element = make('section', { class: 'timeline', hidden: true }, make('h2', {}, t('timeline')),
      make('p', { class: 'buttons' }, make('label', {}, `${t('face')} `, this.picker),
        make('button', { type: 'button', id: 'csv', onclick: () => download('expressions.csv', this.csv(), 'text/csv') }, 'CSV'),
        make('button', { type: 'button', id: 'png', onclick: () => this.canvas.toBlob(blob => download('expressions.png', blob)) }, 'PNG'),
        make('button', { type: 'button', onclick: () => this.clear() }, t('clear'))),
      this.canvas, make('p', { class: 'legend' }, ...legend), make('p', { class: 'note' }, t('timeline_note')));
  }

  clear() {
    this.rows = [];
    this.picker.replaceChildren();
    this.element.hidden = true;
  }

  add(seconds, faces) {
    for (const face of faces) {
      this.rows.push({ seconds, id: face.id, box: face.box, smoothed: face.smoothed, raw: face.probabilities });
      if (![...this.picker.options].some(option => Number(option.value) === face.id)) {
        this.picker.append(make('option', { value: face.id }, String(face.id)));
      }
    }
    if (this.rows.length > MOST) this.rows.splice(0, this.rows.length - MOST);
    this.element.hidden = this.rows.length === 0;
    if (!this.pending) {
      this.pending = true;
      setTimeout(() => {
        this.pending = false;
        this.draw();
      }, PAUSE);
    }
  }

  draw() {
    const all = this.rows.filter(row => row.id === Number(this.picker.value)), step = Math.ceil(all.length / DRAWN);
    const rows = all.filter((_, i) => (all.length - 1 - i) % step === 0);
    const { canvas } = this, context = canvas.getContext('2d'), left = 62, right = 1190, top = 8, bottom = 272;
    context.fillStyle = css('--card');
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!rows.length) return;
    const first = rows[0].seconds, last = Math.max(rows[rows.length - 1].seconds, first + 1);
    const x = s => left + (right - left) * (s - first) / (last - first), y = p => bottom - (bottom - top) * p;
    context.font = '14px system-ui, sans-serif';
    context.lineWidth = 1;
    for (const p of [0, 0.25, 0.5, 0.75, 1]) {
      context.strokeStyle = css('--line');
      context.beginPath();
      context.moveTo(left, y(p));
      context.lineTo(right, y(p));
      context.stroke();
      context.fillStyle = css('--muted');
      context.textAlign = 'right';
      context.fillText(`${100 * p} %`, left - 5, y(p) + 5);
    }
    context.textAlign = 'center';
    for (let i = 0; i <= 5; i++) {
      const s = first + (last - first) * i / 5;
      context.fillText(`${s.toFixed(last - first < 10 ? 2 : 1)} s`, Math.min(x(s), right - 18), 292);
    }
    for (const [key, alpha, line] of [['raw', 0.25, 1], ['smoothed', 1, 2.5]]) {
      this.net.classes.forEach((_, k) => {
        context.strokeStyle = classColor(k);
        context.globalAlpha = alpha;
        context.lineWidth = line;
        context.beginPath();
        rows.forEach((row, i) => context[i ? 'lineTo' : 'moveTo'](x(row.seconds), y(row[key][k])));
        context.stroke();
      });
    }
    context.globalAlpha = 1;
  }

  csv() {
    const { classes } = this.net;
    const quoted = name => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
    const head = ['seconds', 'face', 'x', 'y', 'side', ...classes.map(quoted), ...classes.map(name => quoted(`${name}_raw`))];
    const line = row => [row.seconds.toFixed(3), row.id, ...['x', 'y', 'side'].map(k => row.box[k].toFixed(1)),
      ...row.smoothed.map(p => p.toFixed(4)), ...row.raw.map(p => p.toFixed(4))].join(',');
    return `${[head.join(','), ...this.rows.map(line)].join('\n')}\n`;
  }
}
