// Words in English and Chinese. `{0}`, `{1}` stand for values. A key without an entry stands for itself, so
// class names of one's own network are shown as they are.

const WORDS = {
  angry: ['angry', '愤怒'], disgust: ['disgust', '厌恶'], fear: ['fear', '恐惧'], happy: ['happy', '高兴'],
  sad: ['sad', '悲伤'], surprise: ['surprise', '惊讶'], neutral: ['neutral', '中性'],

  validation: ['validation faces of its training', '其训练的验证集'],
  tab_answer: ['Answer', '识别'], tab_why: ['Why', '原因'], tab_microscope: ['Microscope', '显微镜'], tab_map: ['Map of the data', '数据地图'],
  embedded: ['embedded network', '内置网络'], network_line: ['{0}, {1} parameters', '{0}，{1} 个参数'],
  promise: ['Computed on this machine. Pictures and frames are not stored and not sent anywhere.',
    '在这台机器上计算。图片与画面不保存，也不发送到任何地方。'],
  promise_static: ['A walk through one network, computed beforehand by fer serve --export.', '由 fer serve --export 预先计算的网络漫游。'],
  working: ['computing …', '计算中……'], so_far: ['computing …, {0} done', '计算中……已完成 {0}'],
  has_ended: ['fer serve does not answer: it may have ended. Start it again, then reload this page.', 'fer serve 没有应答：它可能已结束。请重新启动它，再刷新本页。'],
  started_again: ['fer serve was started again since this page was opened. Reload it.', 'fer serve 在本页打开后重新启动过。请刷新本页。'],
  program_says: ['{0}', '程序报告（英文）：{0}'], absent: ['not part of this exported page', '不在此导出页中'], cancel: ['Cancel', '取消'], clear: ['Clear', '清除'], stop: ['Stop', '停止'], search: ['Search', '搜索'],
  class: ['Class', '类别'], label: ['label', '标签'], face: ['Face', '人脸'], faces: ['Faces', '人脸'], frame: ['this frame', '这一帧'], mean: ['mean', '均值'],

  from_set: ['Random face from the data', '从数据中随机取一张人脸'], draw_face: ['Draw a new face', '画一张新脸'], drawn: ['drawn', '绘制的'],
  no_face_chosen: ['No face chosen yet.', '尚未选择人脸。'],

  choose_file: ['Choose pictures or a video', '选择图片或视频'], camera: ['Camera', '摄像头'], mirror: ['mirror', '镜像'],
  drop_here: ['Drop a photo or a video here', '把照片或视频拖到这里'], drop_else: ['or paste a picture, or use the buttons above', '也可粘贴图片，或使用上方按钮'],
  stage: ['The picture with a box around each face', '带人脸方框的图片'],
  analyse: ['Answer the whole video', '分析整段视频'],
  doubtful: ['perhaps not a face', '可能不是人脸'], explain_this: ['Why?', '为什么？'],
  no_face: ['No face found in {0}.', '在 {0} 中未找到人脸。'], faces_found: ['{0} found: {1}', '找到 {0} 张：{1}'],
  not_a_picture: ['{0} is neither a picture nor a video that this browser can read.', '{0} 不是此浏览器能读取的图片或视频。'],
  not_a_video: ['{0}: this browser cannot read the video. Convert it: ffmpeg -i VIDEO -c:v libx264 out.mp4',
    '{0}：此浏览器无法读取该视频。请转换：ffmpeg -i VIDEO -c:v libx264 out.mp4'],
  no_camera_here: ['This browser gives no camera to this page. Open it by its address on 127.0.0.1.', '浏览器不向本页提供摄像头。请用 127.0.0.1 地址打开。'],
  camera_refused: ['The camera was refused. Allow it in the address bar, then press Camera again.', '摄像头被拒绝。请在地址栏中允许后重试。'],
  camera_absent: ['No camera found. Connect one, then press Camera again; a video file works as well.', '未找到摄像头。请连接后重试，也可使用视频文件。'],
  camera_failed: ['The camera does not start: {0}', '摄像头无法启动：{0}'],
  latency: ['{0} ms per frame, {1} ms of them in the network and the detector; {2} frames per second', '每帧 {0} 毫秒，其中检测与网络 {1} 毫秒；每秒 {2} 帧'],
  latency_picture: ['{0} ms, {1} ms of them for detection', '{0} 毫秒，其中检测 {1} 毫秒'],
  timeline: ['Expressions over time', '表情随时间的变化'],
  timeline_note: ['Thick lines are smoothed over a third of a second; thin lines are the answers of single frames.', '粗线为约三分之一秒平滑后的概率，细线为单帧的概率。'],

  why_heading: ['Which pixels speak for it?', '哪些像素支持它？'], methods: ['Methods, up to six side by side', '方法，最多六种并排'],
  opacity: ['Opacity', '不透明度'], point_at_map: ['Point at a map to read its value, or move over it with the arrow keys.', '将指针移到图上，或用方向键，读取数值。'],
  value_at: ['{0} at ({1}, {2}): {3} {4}; gray level {5}', '{0} 在 ({1}, {2})：{3} {4}；灰度 {5}'],
  full_colour: ['full colour: {0}', '满色：{0}'], for_class: ['for the class', '支持'], against_class: ['against it', '反对'], no_influence: ['no influence', '无影响'], most_influence: ['most influence', '影响最大'],
  most_methods: ['At most {0} side by side: untick one first.', '最多并排 {0} 种：请先取消一种。'],
  colours_note: ['Red speaks for the class and blue against it, where the method tells them apart. A map shows what the network used, not what is true of the face.',
    '若方法能区分，红色支持该类别，蓝色反对。图展示网络所用的依据，而非人脸的真相。'],
  check_method: ['Does it pass the sanity checks?', '它通过可信度检验吗？'],
  checks_passed: ['Passes the sanity checks for this network.', '对此网络通过可信度检验。'],
  checks_failed: ['Fails a sanity check for this network: {0}.', '对此网络未通过可信度检验：{0}。'],
  checks_undecided: ['Fails none; undecided: {0}.', '没有失败；未定：{0}。'], on_faces: ['on {0} faces', '{0} 张人脸'],

  paint_heading: ['Change the face', '改动人脸'],
  paint_note: ['Paint, and see the probabilities change; the marks show those of the face as it was. Keys: arrows move, space paints.',
    '涂改并观察概率变化；刻度为原来的概率。按键：方向键移动，空格涂画。'],
  paint_label: ['The face to paint on, 48 × 48 pixels', '可涂画的人脸，48 × 48 像素'], tool: ['Tool', '工具'],
  tool_brush: ['brush', '画笔'], tool_blur: ['blur', '模糊'], tool_swap: ['swap', '替换'], tool_restore: ['restore', '还原'], tool_superpixels: ['superpixels', '超像素'],
  size: ['Size', '大小'], gray_level: ['Gray', '灰度'], swap_with: ['With', '取自'], superpixels: ['Superpixels', '超像素'],
  cut_slic: ['by gray levels (SLIC)', '按灰度（SLIC）'], cut_face: ['parts of a face', '面部区域'],
  undo: ['Undo', '撤销'], reset: ['Undo all changes', '撤销全部改动'], keep: ['Keep as a face', '保留为新脸'],

  patch_heading: ['A small patch that changes the answer', '改变答案的小方块'], fill: ['Shown in its place', '替换为'],
  fill_mean: ['mean face', '平均脸'], fill_blur: ['blurred face', '模糊的脸'], fill_gray: ['gray', '灰色'],
  patch_found: ['{0} × {0} pixels at ({1}, {2}): {3} becomes {4}, {5}. The smallest found in {6} trials; another place may do with less.', '({1}, {2}) 处 {0} × {0} 像素：{3} 变为 {4}，{5}。为 {6} 次尝试中最小的；别处或许可以更小。'],
  no_patch: ['No square changes the answer ({0} trials).', '没有方块能改变答案（试了 {0} 次）。'],

  architecture: ['Architecture', '结构'], totals: ['{0} parameters, {1} million multiply-accumulates, input {2} × {2}', '{0} 个参数，{3} 亿次乘加，输入 {2} × {2}'],
  layer_about: ['{0}: {1}, {2} parameters; a cell sees {3} × {3} pixels; values from {4} to {5}. Click a map.', '{0}：{1}，{2} 个参数；每格可见 {3} × {3} 像素；数值 {4} 至 {5}。点击一张图。'],
  maps_label: ['{0} feature maps of {1}; arrow keys choose one', '{1} 的 {0} 张特征图；方向键选择'],
  filter_title: ['Filter {0} of {1}', '{1} 的滤波器 {0}'], map_of_face: ['On this face', '在这张脸上'],
  map_label: ['A map of {0} × {1} cells; arrow keys move, Enter opens a cell', '{0} × {1} 格的图；方向键移动，回车打开'],
  click_a_cell: ['Click a cell for its arithmetic.', '点击一格查看其算式。'], cell_value: ['Cell ({0}, {1}): {2}. Click it for its arithmetic.', '格 ({0}, {1})：{2}。点击查看算式。'],
  ascent_naive: ['Plain gradient ascent', '朴素梯度上升'], ascent_maco: ['With the spectrum of faces (MACO)', '带人脸频谱（MACO）'],
  ascent_step: ['Step {0}: mean activation {1}; as the network sees it, turned and noisy', '第 {0} 步：平均激活 {1}；网络所见，带旋转与噪声'], ascent_done: ['After {0} steps: mean activation {1}', '{0} 步之后：平均激活 {1}'],
  watch: ['Watch it again', '再看一遍'], histogram: ['Values on the faces of the set', '在数据集上的取值'],
  filter_numbers: ['{0} faces; median {1}, standard deviation {2}, strongest cell {3}', '{0} 张脸；中位数 {1}，标准差 {2}，最强格 {3}'],
  speaks_for: ['Mean by class', '各类别均值'],
  main_class: ['{0}: {1} of the {2} strongest faces, {3} times as many as its share.', '{0}：最强的 {2} 张脸中有 {1} 张，是其占比的 {3} 倍。'],
  no_main_class: ['No class stands out among its strongest faces.', '最强的人脸中没有突出的类别。'],
  strongest: ['Strongest patches of the set', '数据集中最强的区域'], strongest_note: ['What its strongest cell sees, at most one per face. Click one to put the face under the microscope.', '最强格所见，每张脸至多一处。点击可将该脸置于显微镜下。'],
  cell_title: ['{0}, filter {1}, cell ({2}, {3})', '{0}，滤波器 {1}，格 ({2}, {3})'],
  receptive_field: ['The face with the pixels that this cell sees', '该格所见的像素'], field_note: ['It sees {0} × {0} pixels.', '它看到 {0} × {0} 像素。'],
  conv_formula: ['Σ over {0} channels of patch · kernel ({1}), plus bias. The largest products; click a number to see where it comes from.', '对 {0} 个通道求 区域 · 卷积核（{1}）之和，加偏置。列出最大的乘积；点击数字查看其来源。'],
  patch_of: ['{0} #{1}', '{0} #{1}'], kernel_caption: ['kernel', '卷积核'], other_channels: ['{0} other channels', '其余 {0} 个通道'], bias: ['bias', '偏置'],
  linear_formula: ['Σ over {0} inputs of input · weight, plus bias. The largest products:', '对 {0} 个输入求 输入 · 权重 之和，加偏置。最大的乘积：'],
  input: ['input', '输入'], weight: ['weight', '权重'], product: ['product', '乘积'], branch: ['branch', '支路'], pixels: ['standardised pixels of the face', '标准化的人脸像素'],
  from_to: ['{0} → {1}', '{0} → {1}'], network_says: ['The network computed {0}.', '网络算得 {0}。'],
  kind_Conv2D: ['Convolution', '卷积'], kind_BatchNormalization: ['Batch normalisation', '批归一化'], kind_Activation: ['Activation', '激活'],
  kind_MaxPooling2D: ['Max pooling', '最大池化'], kind_AveragePooling2D: ['Average pooling', '平均池化'], kind_GlobalAveragePooling2D: ['Mean of each map', '每张图的均值'],
  kind_Dense: ['Fully connected', '全连接'], kind_Linear: ['Fully connected', '全连接'], kind_Residual: ['Residual block', '残差块'], kind_SqueezeExcite: ['Squeeze and excitation', '压缩与激励'],
  kind_Dropout: ['Dropout (nothing, when answering)', '随机失活（识别时不起作用）'], kind_Flatten: ['Flattening', '展平'],

  map_note: ['Each point is a face, placed by the features that the last layer reads. Draw a rectangle to see the faces in it; arrow keys move one, with Shift they change its size.',
    '每个点是一张脸，按最后一层读取的特征放置。画一个矩形查看其中的人脸；方向键移动矩形，加 Shift 改变大小。'],
  map_label_data: ['Faces placed by their features', '按特征放置的人脸'], map_numbers: ['{0} faces, {1}; the axes explain {2} and {3} of the variance.', '{0} 张脸，{1}；两轴解释方差的 {2} 与 {3}。'],
  layout: ['Placed', '位置'], layout_pca: ['by principal components', '按主成分'], layout_tsne: ['by neighbours (t-SNE)', '按邻近关系（t-SNE）'],
  map_tsne: ['{0} faces, {1}. Faces that are alike to the network lie side by side; distances between groups and their sizes mean little.', '{0} 张脸，{1}。网络视为相似的脸彼此相邻；组间距离与组的大小没有多少意义。'],
  colour: ['Colour', '颜色'], by_label: ['by label', '按标签'], by_answer: ['by answer', '按答案'], mistakes: ['Mistakes', '错误'],
  suspects: ['Suspected label errors', '可疑标签'], brushed: ['In the rectangle', '矩形之内'], counted: ['{0}: {1}', '{0}：{1}'], first_of: ['{0}: {1}, the first {2}', '{0}：{1}，前 {2} 张'],
};

// What each method computes; in English the program says it.
const METHODS = {
  saliency: '梯度 ∂S/∂x', 'grad-x-input': '∂S/∂z 乘以 z，z 为标准化像素', smoothgrad: '加噪副本的平均梯度，保留符号',
  'smoothgrad-sq': '加噪副本梯度平方的均值', vargrad: '加噪副本梯度的方差', ig: '沿基线到人脸的路径对梯度积分',
  'smooth-ig': '沿平均脸到人脸的路径对梯度积分，在 2 个像素上平滑', 'guided-backprop': '每个 ReLU 处把负梯度置零的梯度',
  gradcam: '以平均梯度加权的特征图，取正部', 'gradcam++': '以正梯度加权的特征图，取正部', layercam: '逐格以正梯度加权的特征图',
  scorecam: '以遮罩人脸的概率加权的特征图', occlusion: '遮住 8×8 窗口时分数的下降', rise: '像素可见时的概率减去随机遮罩的均值',
  lime: '超像素显示或隐藏时概率的线性模型',
};
const TITLES = {
  saliency: '显著图', 'grad-x-input': '梯度 × 输入', 'smooth-ig': '平滑积分梯度', ig: '积分梯度', 'guided-backprop': '引导反向传播',
  occlusion: '遮挡',
};
export const title = method => (language() === 'zh' && TITLES[method.name]) || method.title;
export const definition = method => (language() === 'zh' && METHODS[method.name]) || method.definition;

let chosen = null;
export function language() {
  if (chosen === null) {
    try {
      chosen = localStorage.getItem('fer-language');
    } catch { /* a page from a file may have no storage */ }
    chosen ??= navigator.language.startsWith('zh') ? 'zh' : 'en';
  }
  return chosen;
}
export function setLanguage(name) {
  chosen = name;
  try {
    localStorage.setItem('fer-language', name);
  } catch { /* then it lasts as long as the page */ }
}

// The name of the network, whose first words are translated where it is the embedded one.
export const networkTitle = net => net.title.replace('embedded network', t('embedded'));

// A list within a sentence.
export const listed = words => words.join(language() === 'zh' ? '；' : '; ');

export function t(key, ...values) {
  const text = WORDS[key]?.[language() === 'zh' ? 1 : 0] ?? key;
  return text.replace(/\{(\d)\}/g, (_, i) => values[i] ?? '');
}
