// Pictures, the camera and videos: boxes, probabilities, and how long it takes.
import { call } from './api.js';
import { argmax, bars, css, make, percent, PIXELS } from './dom.js';
import { describe } from './faces.js';
import { t } from './i18n.js';
import { Timeline } from './timeline.js';

const FRAME = 640;   // longest side of a frame that is sent, in pixels
const LONGEST = 4096; // longest side of a picture that the browser decodes for the program
const SHOWN = 1280;  // longest side of the picture on the page
const MAGIC = ['\x89PNG', '\xff\xd8\xff', 'RIFF....WEBP', 'GIF8', 'BM']; // formats that the program reads
const isRead = head => MAGIC.some(magic => [...magic].every((c, i) => c === '.' || c.charCodeAt(0) === head[i]));

// Gives a canvas the proportions w : h and a longest side of at most `longest`; returns its scale. Setting a side
// clears a canvas and costs time, so both stay where they are right.
function fit(canvas, w, h, longest) {
  const scale = Math.min(1, longest / Math.max(w, h));
  const [width, height] = [w, h].map(side => Math.max(1, Math.round(side * scale)));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return scale;
}

// Draws an image or video into a canvas with a longest side of at most `longest`.
function shrunk(canvas, source, w, h, longest) {
  fit(canvas, w, h, longest);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.clearRect(0, 0, canvas.width, canvas.height); // pictures may be transparent
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context;
}

// Gray pixels of a canvas: .299 R + .587 G + .114 B, as the program computes them.
function grayOf(context) {
  const { width, height } = context.canvas, { data } = context.getImageData(0, 0, width, height);
  const gray = new Uint8Array(width * height);
  for (let i = 0, k = 0; i < gray.length; i++, k += 4) {
    gray[i] = (299 * data[k] + 587 * data[k + 1] + 114 * data[k + 2] + 500) / 1000;
  }
  return gray;
}

// Boxes and labels over what is shown; scale: pixels of the canvas per pixel of the box.
function drawBoxes(context, faces, scale, net, mirrored) {
  const line = Math.max(2, context.canvas.width / 320), size = Math.max(12, context.canvas.width / 45);
  context.lineWidth = line;
  context.font = `600 ${size}px system-ui, sans-serif`;
  for (const face of faces) {
    if (!face.box) continue;
    const side = face.box.side * scale, y = face.box.y * scale;
    const x = mirrored ? context.canvas.width - (face.box.x * scale + side) : face.box.x * scale;
    const p = face.smoothed ?? face.probabilities, best = argmax(p);
    const id = face.id ? `${face.id} ` : '', mark = face.doubtful ? '?' : '';
    const text = `${id}${t(net.classes[best])}${mark} ${percent(p[best], 0)}`;
    context.strokeStyle = face.doubtful ? '#b0862c' : '#19b37d';
    context.setLineDash(face.doubtful ? [3 * line, 2 * line] : []);
    context.strokeRect(x, y, side, side);
    const wide = context.measureText(text).width + size * 0.6, top = y > size * 1.4 ? y - size * 1.4 : y + side;
    context.fillStyle = '#101418d0';
    context.fillRect(x, top, wide, size * 1.4);
    context.fillStyle = '#fff';
    context.fillText(text, x + size * 0.3, top + size * 1.05);
  }
}

export function answerTab(at, state) {
  const net = state.net;
  const stage = make('canvas', { id: 'stage', width: 640, height: 360, role: 'img', 'aria-label': t('stage') });
  const video = make('video', { muted: true, playsInline: true, hidden: true, controls: true });
  const status = make('p', { id: 'status', role: 'status' });
  const rate = make('p', { id: 'rate', class: 'note' }, '\u00a0');
  const cards = make('div', { id: 'cards', class: 'cards' });
  const pictures = make('ul', { id: 'pictures', class: 'links' });
  const timeline = new Timeline(net);
  let source = null;  // 'camera' or 'video'; null for pictures
  let stream = null, busy = false, run = 0, answers = [], times = [];

  // Clears what was shown, so that no answer stands beside another picture.
  function clear(words) {
    status.textContent = words;
    rate.textContent = '\u00a0';
    cards.replaceChildren();
    stage.getContext('2d').clearRect(0, 0, stage.width, stage.height);
  }

  function showFaces(faces, bytes) {
    const list = faces.map((face, k) => ({
      ...face, gray: bytes.slice(k * PIXELS, (k + 1) * PIXELS), label: null, name: face.id ? `${t('face')} ${face.id}` : `${t('face')} ${k + 1}`,
    }));
    while (cards.children.length > list.length) cards.lastChild.remove();
    list.forEach((face, k) => {
      if (!cards.children[k]) {
        cards.append(make('article', { class: 'card' }, make('canvas', { class: 'face', role: 'img' }),
          make('div', { class: 'text' }, make('h3'), make('div', { class: 'bars' })),
          make('button', { type: 'button', class: 'why' }, t('explain_this'))));
      }
      const card = cards.children[k], [picture, text, why] = card.children;
      const image = picture.getContext('2d').createImageData(48, 48);
      picture.width = picture.height = 48;
      face.gray.forEach((v, i) => image.data.set([v, v, v, 255], 4 * i));
      picture.getContext('2d').putImageData(image, 0, 0);
      picture.setAttribute('aria-label', describe(face, net));
      text.children[0].textContent = face.name + (face.doubtful ? ` (${t('doubtful')})` : '');
      bars(text.children[1], net.classes, face.smoothed ?? face.probabilities, face.smoothed ? face.probabilities : null);
      why.onclick = () => {
        pause();
        state.choose(face);
        state.show('why');
      };
    });
  }

  // Says what was found; of a video every two seconds, so that a screen reader can follow.
  let said = 0;
  function say(faces, where) {
    if (source && performance.now() - said < 2000) return;
    said = performance.now();
    const text = faces.length === 0 ? t('no_face', where)
      : t('faces_found', faces.length, faces.map(f => describe({ ...f, label: null, probabilities: f.smoothed ?? f.probabilities }, net)).join('; '));
    if (status.textContent !== text) status.textContent = text;
  }

  // ---- pictures ----

  async function openPicture(file, asked = run) {
    clear(t('working'));
    const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null);
    let parameters = { name: file.name }, bytes;
    if (isRead(head)) {
      bytes = new Uint8Array(await file.arrayBuffer());
    } else if (bitmap) {
      const context = shrunk(document.createElement('canvas'), bitmap, bitmap.width, bitmap.height, LONGEST);
      bytes = grayOf(context);
      parameters = { ...parameters, width: context.canvas.width };
    } else throw new Error(t('not_a_picture', file.name));
    const answer = await call('picture', parameters, bytes);
    if (asked !== run) return;
    if (bitmap) {
      const context = shrunk(stage, bitmap, bitmap.width, bitmap.height, SHOWN);
      drawBoxes(context, answer.faces, context.canvas.width / answer.width, net, false);
    }
    showFaces(answer.faces, answer.bytes);
    say(answer.faces, file.name);
    rate.textContent = t('latency_picture', answer.milliseconds.toFixed(0), answer.detection.toFixed(0))
      + (answer.warning ? ` ${answer.warning}` : '');
    if (answer.faces.length) {
      state.choose({ ...answer.faces[0], gray: answer.bytes.slice(0, PIXELS), label: null, name: file.name });
    }
  }

  async function open(files) {
    const list = [...files];
    const film = list.find(file => file.type.startsWith('video/'));
    if (film) return openVideo(film);
    stop();
    const asked = ++run;
    const rows = list.map(file => {
      const said = make('small', {}), show = async number => {
        for (const row of pictures.children) row.toggleAttribute('aria-current', row === item);
        await attempt(() => openPicture(file, number));
        if (number === run) said.textContent = ` ${status.textContent}`;
      };
      const item = make('li', {}, make('button', { type: 'button', onclick: () => show(run) }, file.name), said);
      return { item, show };
    });
    pictures.replaceChildren(...(rows.length < 2 ? [] : rows.map(row => row.item)));
    for (const { show } of rows) await show(asked);
  }

  async function attempt(work) {
    try {
      await work();
    } catch (error) {
      if (!error.isStale) clear(error.message);
    }
  }

  // ---- camera and video ----

  const small = document.createElement('canvas');
  function draw(faces) {
    const w = video.videoWidth, h = video.videoHeight;
    if (!w) return;
    const mirrored = source === 'camera' && mirror.checked;
    fit(stage, w, h, SHOWN);
    const context = stage.getContext('2d');
    context.save();
    if (mirrored) context.transform(-1, 0, 0, 1, stage.width, 0);
    context.drawImage(video, 0, 0, stage.width, stage.height);
    context.restore();
    drawBoxes(context, faces, stage.width / w, net, mirrored);
  }

  async function send(seconds, name) {
    const w = video.videoWidth, h = video.videoHeight, sent = performance.now();
    const context = shrunk(small, video, w, h, FRAME);
    const answer = await call('frame', { video: name, seconds, width: small.width }, grayOf(context), { lane: 'frame' });
    const scale = w / small.width;
    for (const face of answer.faces) {
      for (const key of ['x', 'y', 'side']) face.box[key] *= scale;
    }
    answers = answer.faces;
    const now = performance.now();
    times = [...times.filter(time => now - time < 2000), now];
    const span = times.length > 1 ? (now - times[0]) / 1000 / (times.length - 1) : 0;
    rate.textContent = t('latency', (now - sent).toFixed(0), answer.milliseconds.toFixed(0), span ? (1 / span).toFixed(1) : '–');
    document.body.dataset.rate = span ? (1 / span).toFixed(2) : ''; // for the tests of the page
    showFaces(answer.faces, answer.bytes);
    say(answer.faces, t('frame'));
    timeline.add(seconds, answer.faces);
    return answer;
  }

  // Answers the newest frame whenever the last one is done; frames in between are dropped.
  function follow(asked) {
    const begun = performance.now(), name = `${source}-${asked}`;
    let newest = null; // the frame that waits: its metadata, if the browser tells them
    const answerNewest = () => {
      if (asked !== run || busy || !newest || !video.videoWidth || (source === 'video' && analysing)) return;
      const seconds = source === 'video' ? newest.mediaTime ?? video.currentTime : (performance.now() - begun) / 1000;
      [busy, newest] = [true, null];
      attempt(() => send(seconds, name)).finally(() => {
        busy = false;
        answerNewest();
      });
    };
    const step = (_, metadata) => {
      if (asked !== run) return;
      draw(answers);
      newest = metadata ?? {};
      answerNewest();
      next();
    };
    const next = () => (video.requestVideoFrameCallback ? video.requestVideoFrameCallback(step) : requestAnimationFrame(step));
    next();
  }

  function stop() {
    run++;
    analysing = false;
    stream?.getTracks().forEach(track => track.stop());
    stream = null;
    video.pause();
    video.removeAttribute('src');
    video.srcObject = null;
    video.hidden = true;
    answers = [];
    stopButton.hidden = cameraRow.hidden = analyse.hidden = true;
    source = null;
  }
  function pause() {
    if (source === 'camera') stop();
    else if (source === 'video') video.pause();
  }

  async function openCamera() {
    const wanted = picker.value;
    stop();
    const asked = run;
    if (!navigator.mediaDevices) throw new Error(t('no_camera_here'));
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 640 }, height: { ideal: 480 }, ...(wanted ? { deviceId: { exact: wanted } } : {}) },
      });
    } catch (error) {
      const known = { NotAllowedError: 'camera_refused', NotFoundError: 'camera_absent' }[error.name];
      throw new Error(t(known ?? 'camera_failed', error.message));
    }
    if (asked !== run) return stream.getTracks().forEach(track => track.stop());
    source = 'camera';
    video.srcObject = stream;
    timeline.clear();
    await video.play();
    const used = stream.getVideoTracks()[0].getSettings().deviceId;
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter(d => d.kind === 'videoinput');
    picker.replaceChildren(...devices.map((d, i) =>
      make('option', { value: d.deviceId, selected: d.deviceId === used }, d.label || `${t('camera')} ${i + 1}`)));
    stopButton.hidden = cameraRow.hidden = false;
    follow(asked);
  }

  let analysing = false;
  async function openVideo(file) {
    stop();
    const asked = run;
    source = 'video';
    pictures.replaceChildren();
    timeline.clear();
    video.src = URL.createObjectURL(file);
    video.hidden = stopButton.hidden = analyse.hidden = false;
    await attempt(() => new Promise((done, fail) => {
      video.onloadeddata = done;
      video.onerror = () => fail(new Error(t('not_a_video', file.name)));
    }));
    if (asked !== run || source !== 'video') return;
    follow(asked);
    await video.play().catch(() => {});
  }

  // Steps through the whole video, ten frames per second, without dropping any.
  async function analyseAll() {
    const asked = run, name = `all-${asked}`;
    video.pause();
    analysing = true;
    timeline.clear();
    for (let seconds = 0; seconds < video.duration && asked === run && analysing; seconds += 0.1) {
      await new Promise(done => {
        video.addEventListener('seeked', done, { once: true });
        video.currentTime = seconds;
      });
      await send(seconds, name);
      draw(answers);
      analyse.textContent = `${t('analyse')} ${percent(seconds / video.duration, 0)}`;
    }
    analysing = false;
    analyse.textContent = t('analyse');
    document.body.dataset.analysed = 'yes'; // for the tests of the page
  }

  // ---- controls ----

  const input = make('input', { type: 'file', id: 'file', tabIndex: -1, accept: 'image/*,video/*', multiple: true, class: 'hidden', onchange: () => open(input.files) });
  const mirror = make('input', { type: 'checkbox', id: 'mirror', checked: true });
  const picker = make('select', { id: 'picker', 'aria-label': t('camera'), onchange: () => attempt(openCamera) });
  const cameraRow = make('p', { class: 'buttons', hidden: true }, make('label', {}, `${t('camera')} `, picker),
    make('label', {}, mirror, ` ${t('mirror')}`));
  const stopButton = make('button', { type: 'button', id: 'stop', hidden: true, onclick: stop }, t('stop'));
  const analyse = make('button', { type: 'button', id: 'analyse', hidden: true, onclick: () => attempt(analyseAll) }, t('analyse'));
  const controls = make('p', { class: 'buttons' },
    make('button', { type: 'button', id: 'choose', onclick: () => input.click() }, t('choose_file')), input,
    make('button', { type: 'button', id: 'camera', onclick: () => attempt(openCamera) }, t('camera')), analyse, stopButton);
  const drop = make('div', { id: 'drop', class: 'drop' }, stage, video);
  for (const kind of ['dragenter', 'dragover']) {
    drop.addEventListener(kind, event => {
      event.preventDefault();
      drop.classList.add('over');
    });
  }
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', event => {
    event.preventDefault();
    drop.classList.remove('over');
    open(event.dataTransfer.files);
  });
  const paste = event => {
    if (!at.hidden && event.clipboardData?.files.length) open(event.clipboardData.files);
  };
  document.addEventListener('paste', paste);
  const context = stage.getContext('2d');
  context.fillStyle = css('--muted');
  context.textAlign = 'center';
  context.font = '30px system-ui, sans-serif';
  context.fillText(t('drop_here'), 320, 170, 600);
  context.font = '24px system-ui, sans-serif';
  context.fillText(t('drop_else'), 320, 215, 600);

  at.replaceChildren(make('div', { class: 'columns' },
    make('div', {}, controls, cameraRow, drop, status, rate, pictures), cards), timeline.element);
  const listener = () => {};
  listener.recolor = () => timeline.draw();
  listener.stop = () => {
    state.hadCamera = source === 'camera'; // another language keeps it
    stop();
    document.removeEventListener('paste', paste);
  };
  state.listeners.push(listener);
  if (state.hadCamera) attempt(openCamera);
}
