// The strip of faces: those of pictures and the camera, of the set, and drawn ones.
import { call, isStatic } from './api.js';
import { argmax, faceCanvas, make, percent, PIXELS } from './dom.js';
import { t } from './i18n.js';

// A face: { gray (2,304 bytes), name, label (or null), probabilities }.
export function describe(face, net) {
  const best = argmax(face.probabilities);
  const answer = `${t(net.classes[best])} ${percent(face.probabilities[best], 0)}`;
  return face.label === null ? answer : `${answer}; ${t('label')}: ${t(net.classes[face.label] ?? '–')}`;
}

// Turns an answer with several faces into a list of faces.
export function unpack(answer, more = () => ({})) {
  return answer.probabilities.map((probabilities, k) => ({
    gray: answer.bytes.slice(k * PIXELS, (k + 1) * PIXELS), probabilities, label: null, name: '', ...more(k),
  }));
}

// Faces of the set by number.
export async function ofSet(faces, options = {}) {
  const answer = await call('set', { faces }, undefined, options);
  return unpack(answer, k => ({ label: answer.labels[k], name: `#${faces[k]}`, number: faces[k] }));
}

async function drawn(state, number) {
  const answer = await call('draw', { class: number % state.net.drawable.length, number });
  return { gray: answer.bytes, probabilities: answer.probabilities, label: answer.label, name: t('drawn') };
}

export function faceStrip(at, state) {
  let count = Math.floor(Math.random() * 1e6);
  const list = make('div', { class: 'strip', role: 'listbox', 'aria-label': t('faces') });
  const note = make('p', { class: 'note' });
  const add = async work => {
    state.listeners.forEach(listener => listener.pause?.()); // a face is answered before slow work goes on
    try {
      state.choose(await work());
    } catch (error) {
      note.textContent = error.message;
    }
  };
  const random = () => add(async () => (await ofSet([Math.floor(Math.random() * state.net.faces)]))[0]);
  const buttons = [make('button', { type: 'button', id: 'from-set', onclick: random, disabled: !state.net.faces }, t('from_set'))];
  if (!isStatic) {
    buttons.push(make('button', { type: 'button', id: 'draw-face', onclick: () => add(() => drawn(state, count++)) }, t('draw_face')));
  }
  at.replaceChildren(make('h2', {}, t('faces')), list, make('p', { class: 'buttons' }, ...buttons), note);
  const listener = () => {
    list.replaceChildren(...state.faces.map(face => make('button', {
      type: 'button', role: 'option', class: 'thumb', 'aria-selected': face === state.face,
      title: `${face.name} ${describe(face, state.net)}`, onclick: () => state.choose(face),
    }, faceCanvas(face.gray, `${face.name}: ${describe(face, state.net)}`))));
    note.textContent = state.face ? `${state.face.name} ${describe(state.face, state.net)}` : t('no_face_chosen');
  };
  if (!state.face && state.net.faces) random();
  return listener;
}
