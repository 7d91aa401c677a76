// The page: tabs, language, and the face that all tabs speak of.
import { call, isStatic } from './api.js';
import { answerTab } from './answer.js';
import { mapTab } from './datamap.js';
import { make } from './dom.js';
import { faceStrip } from './faces.js';
import { language, networkTitle, setLanguage, t } from './i18n.js';
import { microscopeTab } from './microscope.js';
import { whyTab } from './why.js';

// What the tabs share: the network, the faces that were collected, and the chosen one.
const state = { net: null, faces: [], face: null, listeners: [], tab: null, painted: new WeakMap() };

state.choose = face => {
  if (!state.faces.includes(face)) state.faces.unshift(face);
  state.faces.length = Math.min(state.faces.length, 24);
  state.face = face;
  state.listeners.forEach(listener => listener());
};

const TABS = isStatic ? { microscope: microscopeTab, map: mapTab }
  : { answer: answerTab, why: whyTab, microscope: microscopeTab, map: mapTab };
const built = {};

function show(name) {
  state.tab = name;
  location.hash = name;
  for (const button of document.querySelectorAll('#tabs button')) {
    const chosen = button.id === `tab-${name}`;
    button.setAttribute('aria-selected', chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  for (const panel of document.querySelectorAll('#main > section')) panel.hidden = panel.id !== `panel-${name}`;
  if (!built[name]) {
    built[name] = true;
    TABS[name](document.getElementById(`panel-${name}`), state);
  }
  state.listeners.forEach(listener => listener());
}
state.show = show;

function tabs() {
  const names = Object.keys(TABS);
  const turn = (event, by) => {
    const next = names[(names.indexOf(state.tab) + by + names.length) % names.length];
    event.preventDefault();
    show(next);
    document.getElementById(`tab-${next}`).focus();
  };
  document.getElementById('tabs').replaceChildren(...names.map(name => make('button', {
    type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `panel-${name}`, onclick: () => show(name),
    onkeydown: event => {
      if (event.key === 'ArrowRight') turn(event, 1);
      if (event.key === 'ArrowLeft') turn(event, -1);
    },
  }, t(`tab_${name}`))));
  document.getElementById('main').replaceChildren(...names.map(name =>
    make('section', { id: `panel-${name}`, role: 'tabpanel', 'aria-labelledby': `tab-${name}`, hidden: true })));
}

// Writes everything anew in the chosen language; the faces stay.
function build() {
  document.documentElement.lang = language() === 'zh' ? 'zh-Hans' : 'en';
  document.getElementById('language').textContent = language() === 'zh' ? 'English' : '中文';
  document.getElementById('promise').textContent = t(isStatic ? 'promise_static' : 'promise');
  const net = state.net;
  document.getElementById('network').textContent = t('network_line', networkTitle(net), net.parameters.toLocaleString('en'));
  document.title = `fer: ${networkTitle(net)}`;
  state.listeners.forEach(listener => listener.stop?.());
  state.listeners = [];
  Object.keys(built).forEach(name => delete built[name]);
  tabs();
  state.listeners.push(faceStrip(document.getElementById('faces'), state));
  const names = Object.keys(TABS), wanted = location.hash.slice(1);
  show(names.includes(state.tab) ? state.tab : names.includes(wanted) ? wanted : names[0]);
}

async function start() {
  document.getElementById('language').addEventListener('click', () => {
    setLanguage(language() === 'zh' ? 'en' : 'zh');
    build();
  });
  try {
    state.net = await call('hello');
    build();
    // Canvases do not follow by themselves.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => state.listeners.forEach(listener => listener.recolor?.()));
    document.body.dataset.ready = 'yes'; // for the tests of the page
  } catch (error) {
    document.getElementById('main').replaceChildren(make('p', { class: 'error', role: 'alert' }, error.message));
  }
}
start();
