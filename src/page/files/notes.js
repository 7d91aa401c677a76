// Chinese for what the program says of a map: its notes, refusals and failed checks. Each English form stands here
// once as a pattern; `$1` is what the first bracket found. A text that is not known stays as it is.
import { language } from './i18n.js';

const CHINESE = [
  [/^(\S+), (\d+)×(\d+) cells$/, '$1，$2×$3 格'],
  [/^nothing in this layer raises the target$/, '该层中没有提高目标的内容'],
  [/^noise (\S+) % of the range$/, '噪声为范围的 $1 %'],
  [/^residual (\S+) % of (\S+)$/, '残差为 $2 的 $1 %'],
  [/^from black$/, '从黑色开始'],
  [/^from the mean face$/, '从平均脸开始'],
  [/^above the mean of (\S+), s\.e\. (\S+)$/, '高于均值 $1，标准误 $2'],
  [/^(\d+) superpixels, R² (\S+), intercept (\S+), linear model (\S+), network (\S+)$/, '$1 个超像素，R² $2，截距 $3，线性模型 $4，网络 $5'],
  [/^agreement of fits: rank (\S+), top five (\S+) %$/, '多次拟合的一致性：秩相关 $1，前五重合 $2 %'],
  [/^every pixel is the same, so the noise is 0 and all copies are equal$/, '所有像素相同，因此噪声为 0，所有副本相等'],
  [/^the map is 0 everywhere$/, '图处处为 0'],
  [/^guided backpropagation draws the picture's edges .*$/, '引导反向传播画出的更多是图像边缘而非网络的理由：权重随机化后图几乎不变（Adebayo 等 2018）'],
  [/^guided backpropagation is defined for ReLU only, and `(\S+)` .*$/, '引导反向传播只对 ReLU 有定义，而 $1 是另一种激活函数；请用 saliency 或 smoothgrad'],
  [/^guided backpropagation needs ReLUs .*$/, '引导反向传播需要 ReLU，而该网络没有；请用 saliency'],
  [/^hiding superpixels does not change the probability: .*$/, '隐藏超像素不会改变概率：无论隐藏什么，网络都同样确信'],
  [/^hiding superpixels does not change this face: .*$/, '隐藏超像素不会改变这张脸：每个超像素只有一个灰度'],
  [/^LIME found (\d+) superpixels and needs (\d+); .*$/, 'LIME 找到 $1 个超像素，至少需要 $2 个'],
  [/^LIME's fits with different random pictures share (\S+) % .*\(at least (\S+) % needed\).*$/, '用不同随机图片的 LIME 拟合在最强的五个超像素中只重合 $1 %（至少需要 $2 %）'],
  [/^LIME's linear model explains (\S+) % .*\(R² (\S+), at least (\S+) needed\)$/, 'LIME 的线性模型只解释这张脸周围网络概率的 $1 %（R² $2，至少需要 $3）'],
  [/^LIME's linear model gives the whole face (\S+) and the network gives it (\S+) .*$/, 'LIME 的线性模型对整张脸给出 $1，网络给出 $2，相差过大'],
  // Reasons of the sanity checks.
  [/^every map is empty$/, '每张图都是空的'],
  [/^changes beyond recognition under invisible noise$/, '在看不见的噪声下变得面目全非'],
  [/^does not add up to the change of the score$/, '加总不等于得分的变化'],
  [/^(.+) measured on too few faces \((.+)\)$/, '$1 在太少的脸上测得（$2）'],
  [/^(.+) no better than a control order \((.+)\)$/, '$1 不比对照顺序更好（$2）'],
  [/^(.+) not clearly better than a control order \((.+)\)$/, '$1 没有明显好于对照顺序（$2）'],
  [/^changes too little when the layers .*\(rank correlation (.+); the limit is (\S+)\)$/, '各层换成随机权重时变化太小（秩相关 $1；上限 $2）'],
  [/^may change too little when the layers .*\(rank correlation (.+); the limit is (\S+)\)$/, '各层换成随机权重时变化可能太小（秩相关 $1；上限 $2）'],
  [/^measured on too few faces whether it changes .*\(rank correlation (.+); the limit is (\S+)\)$/, '测量的脸太少，无法判断换成随机权重时是否变化（秩相关 $1；上限 $2）'],
];
// Words inside the brackets.
const WORDS = [[/\bdeletion and insertion\b/g, '删除与插入'], [/\bdeletion\b/g, '删除'], [/\binsertion\b/g, '插入'],
  [/ with the upper half of them/g, '（上半部分）'], [/ with all of them/g, '（全部）'], [/\bto\b/g, '至']];

export function noted(text) {
  const known = language() === 'zh' && CHINESE.find(([pattern]) => pattern.test(text));
  if (!known) return text;
  return WORDS.reduce((all, [word, chinese]) => all.replace(word, chinese), text.replace(...known));
}
