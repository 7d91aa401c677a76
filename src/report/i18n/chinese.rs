//! The phrases in Chinese.

use crate::report::i18n::Phrases;

/// The classes of FER2013, in the order of its labels.
pub(crate) const CLASSES: [&str; 7] = ["愤怒", "厌恶", "恐惧", "高兴", "悲伤", "惊讶", "中性"];

/// Parts of the face, in the order of [`crate::explain::regions::face_regions::Region::ALL`].
pub(crate) const REGIONS: [&str; 7] =
    ["眼睛和眉毛", "鼻子", "嘴", "脸颊", "额头", "下巴和太阳穴", "头发、背景和手"];

/// The same, to stand under a bar.
pub(crate) const SHORT_REGIONS: [&str; 7] = ["眼", "鼻", "嘴", "脸颊", "额头", "下巴", "脸外"];

pub(crate) const TABLE: Phrases = Phrases {
    // The page
    title: "{name} 学到了什么",
    opening: "{name} 是一个卷积神经网络，从 48×48 像素的灰度人脸中识别 {classes} 种表情。本报告用 \
         {faces} 张有标注的人脸（{data}）检验它。简要回答如下：",
    figure: "图 {number}",
    question_look: "1. 它在看哪里？",
    question_want: "2. 每个滤波器想看到什么？",
    question_judge: "3. 它如何判断每种表情？",
    question_training: "4. 训练过程如何？",
    question_made: "本报告是如何生成的",
    count_of_faces: "{faces} 张人脸",
    all_faces: "全部人脸",
    training: "训练",
    validation: "验证",
    accuracy: "准确率",
    // Where does it look?
    look_how: "对人脸的每个像素求预测表情得分的梯度。梯度大的地方，像素稍有变化，得分就变化最大：\
         那里就是网络在看的地方。它并不说明网络在那里看到了什么。",
    look_faces: "每种表情的一张典型人脸",
    look_classes: "同一种表情的人脸有什么共同点",
    look_regions: "看的是脸吗？",
    face_title: "{truth}，判为{said}（{sure}）",
    face_title_unlabelled: "判为{said}（{sure}）",
    strongest_pixel: "单个像素的最大梯度：{max}。",
    tile_face: "人脸",
    tile_map: "显著图",
    tile_overlay: "叠加图",
    tile_signed: "带符号",
    tile_mean_face: "平均脸",
    tile_mean_map: "平均图",
    tile_difference: "判对 − 判错",
    key_nothing: "无影响",
    key_much: "影响最大",
    key_against: "变亮则得分降低",
    key_for: "变亮则得分升高",
    key_wrong: "判错时看得更多",
    key_correct: "判对时看得更多",
    caption_typical: "每种表情选一张脸：在判断正确的人脸中（若有），其最后一层特征离本类中心最近的\
         一张。从左到右：人脸；梯度的大小，越亮的像素越重要；叠加在人脸上的显著图；带符号的梯度。\
         每张图使用各自的色标，最深的颜色对应第 99 百分位数。",
    caption_class_means: "对每种表情的人脸求平均，单张脸的特殊之处因此抵消。从左到右：平均脸；梯度\
         大小的平均（每张图先除以自身的均值，使各张脸权重相同）；叠加在平均脸上；判对人脸的平均图减去判错人脸的平均图（缺少其中一类时不画）。",
    template_alt: "标出各区域的平均脸",
    caption_template: "画在平均脸上的各个区域。在每张脸上，区域最多移动四个像素，移到与平均脸最吻\
         合的位置；椭圆之外是头发、背景或手。",
    caption_lift: "各区域吸引注意的程度（提升度）：区域占显著图的份额除以它占图像的份额，对 \
         {faces} 张人脸取平均，附 95% 自助法区间。1（虚线）表示没有偏好。只有高于两种符号的部分，\
         才超出图像边缘（◆）或随机权重的同一网络（▲）所能给出的结果。",
    caption_lift_table: "同样的数值：提升度及其 95% 区间；最后两行是全部人脸上的对照。",
    lift: "提升度",
    network: "网络",
    uniform: "均匀",
    control_edges: "边缘（Sobel）",
    control_random: "随机权重",
    on_face: "看的是脸吗？{share} 的归因落在脸上，而脸占图像的 {area}。",
    by_control: "若只凭{control}，这一份额为 {share}。",
    the_edges: "图像的边缘",
    random_weights: "随机权重",
    looks_at_face: "因此它看的是脸，而且超出了对照所能解释的程度。",
    so_does_a_control: "因此它看脸多于看其他地方，但有对照也是如此。",
    not_at_face: "因此它看脸并不多于看其他地方。",
    not_above: "未超过的对照：{controls}。",
    over_all_faces: "全部人脸",
    most_at: "{who}：最关注{region}，为其面积份额的 {lift} 倍（{beside}）。",
    more_than_all: "与全部人脸相比，更多地看{region}（{lift} 对 {all}；该处边缘对照 {edges}）。",
    few_faces: "不足 {fewest} 张人脸，无法下结论。",
    above_edges: "高于边缘对照的 {lift}",
    like_edges: "不高于边缘对照的 {lift}",
    no_control: "无对照",
    // What does each filter want to see?
    want_how: "逐步改变一张图像，直到某个滤波器的响应尽可能强。若不加约束，结果像二维码：它能激发\
         滤波器，人眼却看不出意义。因此主图（MACO）只允许改变图像的相位，各频率的强度保持与真实人\
         脸相同。每张图旁边是训练人脸中最能激发同一滤波器的部位：图中所示应当能在那里找到。",
    want_natural: "在所画的 {filters} 个有效滤波器中，MACO 图像有 {maco} 与真实人脸一样平滑；“像素 \
         + Adam”为 {pixels}，朴素方法为 {naive}。",
    want_robust: "稍作平移、旋转和缩放后，它们对滤波器的激发仍不弱于“像素 + Adam”（稳健 z 的中位数：\
         {maco} 对 {pixels}）。",
    want_not_robust: "稍作平移、旋转和缩放后，它们对滤波器的激发弱于“像素 + Adam”（稳健 z 的中位数：\
         {maco} 对 {pixels}）。",
    want_similar: "与“像素 + Adam”相比，它们更像真实人脸中激发滤波器的内容（相似度的中位数：{maco} \
         对 {pixels}）。",
    want_not_similar: "与“像素 + Adam”相比，它们并不更像真实人脸中激发滤波器的内容（相似度的中位数：\
         {maco} 对 {pixels}）。",
    want_none_dead: "所画的滤波器中没有死滤波器。",
    want_dead: "所画的滤波器中，在训练人脸上从不激活的有 {count} 个。",
    kernels_title: "第一层：{layer} 的卷积核",
    caption_kernels: "第一层每个滤波器的 {h}×{w} 个权重，红色为正，蓝色为负，统一色标；下方是权重\
         之和。和接近 0 表示滤波器响应边缘和线条，和较大则表示它响应亮度。",
    layer_title: "{layer} 的滤波器",
    layer_size: "共 {channels} 个滤波器；特征图为 {h}×{w} 个单元，每个单元看到人脸上 {side}×{side} \
         个像素。所示滤波器在该层中均匀选取，没有挑选好看的。",
    filter_title: "滤波器 {filter}",
    filter_dead: "死滤波器：在训练人脸上从不激活。",
    filter_agreement: "不同起点所得图像的一致程度：{value}。",
    recipe_naive: "之前：朴素",
    recipe_pixels: "之前：像素 + Adam",
    recipe_fourier: "傅里叶 + 形变",
    recipe_maco: "之后：MACO",
    recipe_face: "从平均脸出发",
    tile_cell: "单元所见",
    tile_patches: "真实人脸中最强处",
    tile_faces: "最确信的人脸",
    of_top: "{class}：前 {total} 处中 {count} 处，为其占比的 {lift} 倍",
    no_main_class: "无突出类别",
    short_lag: "相邻相关 {value}",
    short_z: "稳健 z {value}",
    short_similarity: "相似 {value}",
    caption_filters: "之前：二十步普通梯度上升（朴素），以及 256 步 Adam。之后：MACO，几乎不起作用\
         的部分淡化为灰色。最后：最能激发该滤波器的九张训练人脸，以及最强的一百处中最突出的表情（\
         {faces}）。HF 是频率高于每像素 1/4 周期的功率所占份额，“相邻相关”是相邻像素的相关系数；\
         真实人脸的 HF 不超过 0.19，相邻相关不低于 0.8。稳健 z：图像经小幅平移、旋转和缩放后对滤\
         波器的激发强度，以高出人脸中位数的标准差计。相似（度）：在前一层看来，与最能激发该滤波器\
         的人脸的相似程度，1 为相同。",
    caption_filters_crop: "之前：二十步普通梯度上升（朴素），以及 256 步 Adam。之后：MACO，几乎不\
         起作用的部分淡化为灰色，并给出其中响应最强的单元所见的部分。最后：训练人脸中最能激发该滤\
         波器的九个图块，大小等于一个单元所见的范围，以及最强的一百处中最突出的表情（{faces}）。\
         HF 是频率高于每像素 1/4 周期的功率所占份额，“相邻相关”是相邻像素的相关系数；真实人脸的 \
         HF 不超过 0.19，相邻相关不低于 0.8。稳健 z：图像经小幅平移、旋转和缩放后对滤波器的激发强\
         度，以高出人脸中位数的标准差计。相似（度）：在前一层看来，与最能激发该滤波器的人脸的相似\
         程度，1 为相同。",
    caption_filters_again: "{layer} 的滤波器，读法同图 {figure}。",
    caption_whole_faces: "这里一个单元能看到整张脸，因此最后一列显示整张脸。",
    of_training_faces: "{all} 张训练人脸中的 {shown} 张",
    of_judged_faces: "取自被检验的人脸 {shown} 张；无法取得训练人脸",
    significance_title: "之前与之后的数值对比",
    caption_significance: "上面所画滤波器的中位数，不含死滤波器。自然：HF 不超过 0.19 且相邻相关不低于 \
         0.8。MACO 图像的自然性由方法本身保证；证明它们显示了滤波器所求的是稳健 z 和相似度。最后\
         一行是真实人脸，z 取其中最强的一张，未经平移或旋转。",
    row_faces: "真实人脸",
    head_recipe: "方法",
    head_natural: "自然",
    head_hf: "高频份额 HF",
    head_lag: "相邻相关",
    head_z: "稳健 z",
    head_similarity: "相似度",
    head_agreement: "一致程度",
    ideal_title: "每种表情的理想面孔",
    ideal_face: "理想的“{class}”面孔",
    reads_as: "判为此类：{sure}",
    caption_ideal: "用同样的方法最大化每种表情的得分：朴素方法；用人脸频谱从噪声出发；用人脸频谱从\
         平均脸出发。图下是网络判为该表情的概率：若它对朴素图案与对人脸同样确信，可见单凭高分不能\
         说明什么。右侧：得分最高的九张训练人脸。",
    maps_title: "一张脸，逐层来看",
    map_size: "{channels} 张 {h}×{w} 特征图，{zeros} 为零",
    key_largest: "该图最大值",
    caption_maps: "从像素开始，一张人脸（{class}）经过各层激活函数之后，部分滤波器的输出：每层均匀\
         选取八张特征图，各用自己的色标。靠前的图还能看出人脸；靠后的图只表明在哪里找到了什么。",
    // How does it judge each expression?
    why_summary: "网络判对了 {faces} 张人脸中的 {accuracy}（95% 区间 {low}–{high}）；若总是回答最\
         常见的表情，则为 {majority}。",
    why_too_sure: "它过于自信：置信度平均偏差 {ece}。",
    why_not_sure: "它不够自信：置信度平均偏差 {ece}。",
    why_best: "识别最好的是{class}：找到 {faces} 张人脸中的 {recall}（{low}–{high}），{judged}。",
    why_worst: "识别最差的是{class}：在 {faces} 张人脸中找到 {recall}（{low}–{high}），{judged}。",
    why_rarest: "训练样本最少的是{class}：在 {faces} 张人脸中找到 {recall}（{low}–{high}），\
         {judged}。",
    why_alike: "各表情找到的份额相同。",
    said_right: "此类判断中 {precision} 正确",
    never_said: "从未作出此类判断",
    never_seen: "训练中从未见过{class}。",
    why_uncertain: "人脸数量太少，该数字的不确定度为 ±{points} 个百分点。",
    why_missed: "漏判{class}时，最常误判为{other}（{missed} 次中有 {count} 次）。",
    why_overlaps: "在最后一层特征中，{class}与最近的{other}相距 {distance} 个离散度，比各类通常的 \
         {typical} 更近。",
    why_apart: "在最后一层特征中，{class}与最近的{other}相距 {distance} 个离散度，比各类通常的 \
         {typical} 更远。",
    why_as_others: "在最后一层特征中，{class}与最近的{other}相距 {distance} 个离散度，与各类通常的 \
         {typical} 相当。",
    why_more_often: "训练中它见到{best}的次数是{worst}的 {times} 倍（{many} 张对 {few} 张）。",
    why_not_counts: "训练人脸的数量不能解释这一差距：{best} {many} 张，{worst} {few} 张。",
    why_caution: "部分原因是谨慎：若视所有表情出现机会均等，它能找到 {balanced} 的{worst}。",
    why_hard: "视所有表情出现机会均等也无济于事（找到 {balanced}），可见{worst}是难以区分，而不只\
         是少见。",
    why_chance: "两个区间有重叠：这一先后可能出于偶然。",
    class_absent: "{class}：这批人脸中没有，因此无法评价。",
    class_good: "{class}的识别好于平均水平（{accuracy}）：{faces} 张人脸中找到 {recall}（{low} 至 \
         {high}），{judged}。",
    class_bad: "{class}的识别差于平均水平（{accuracy}）：{faces} 张人脸中找到 {recall}（{low} 至 \
         {high}），{judged}。",
    class_average: "{class}的识别与平均水平（{accuracy}）相当：{faces} 张人脸中找到 {recall}（\
         {low} 至 {high}），{judged}。",
    class_rare: "它很少见：训练人脸 {count} 张，为平均份额的 {ratio} 倍。",
    class_common: "它很常见：训练人脸 {count} 张，为平均份额的 {ratio} 倍。",
    class_usual: "训练人脸 {count} 张，为平均份额的 {ratio} 倍。",
    class_caution: "它较为谨慎：若所有表情出现机会均等，它能找到 {balanced} 的{class}。",
    class_eager: "它得益于出现得多：若所有表情出现机会均等，它只能找到 {balanced} 的{class}。",
    class_shares: "若视所有表情出现机会均等，较少见的表情会分走一部分：只能找到 {balanced} 的\
         {class}。",
    class_hard: "视所有表情出现机会均等也无济于事（找到 {balanced}），可见{class}是难以区分，而不\
         只是少见。",
    unlabelled: "另有 {count} 张没有标注的人脸未计入。",
    head_measure: "指标",
    head_value: "数值",
    head_meaning: "含义",
    accuracy_means: "判对的份额；95% 区间 {low} 至 {high}",
    top2: "前二准确率",
    top2_means: "标注属于概率最高的两类之一",
    macro_f1: "宏平均 F1",
    macro_f1_means: "各表情 F1 的平均",
    balanced_accuracy: "平衡准确率",
    balanced_accuracy_means: "各表情召回率的平均",
    kappa: "κ 系数",
    kappa_means: "超出偶然的一致性；1 为完全一致，0 为偶然",
    loss: "损失",
    loss_means: "平均交叉熵（奈特）",
    ece: "校准误差",
    ece_means: "置信度与准确率的平均差距；温度取 {temperature} 可修正",
    confusion_title: "什么被误认成什么",
    matrix_corner: "真实 ↓ 判为 →",
    caption_confusion: "混淆矩阵。行：真实表情；列：网络的判断。上方数字是人脸数，下方是占该真实表\
         情的份额，颜色深浅也由它决定。对角线为判对，其份额即召回率。",
    confused_pair: "{truth}被误认为{predicted}：{count} 张，占{truth}的 {share}。",
    classes_title: "各表情的数值",
    head_expression: "表情",
    head_recall: "召回率",
    head_precision: "精确率",
    head_interval: "95% 区间",
    head_faces: "人脸数",
    head_trained_on: "训练人脸数",
    head_if_balanced: "均衡时召回率",
    caption_classes: "召回率：该表情被找到的份额。精确率：此类判断中正确的份额。F1：两者的调和平均。\
         区间为威尔逊区间。均衡时召回率：视每种表情出现机会均等。",
    chart_recall: "各表情被找到的份额",
    chart_interval: "召回率及 95% 区间",
    chart_accuracy: "召回率及 95% 区间；虚线：准确率 {accuracy}",
    face_number: "第 {number} 号",
    chart_more_faces: "训练人脸越多，召回率越高吗？",
    counts_judged: "被检验数据中各表情的人脸数",
    counts_split: "训练所用各表情的人脸数",
    caption_class_charts: "每种表情有多少被找到，这是否与训练人脸的数量有关，以及每种表情各有多少\
         人脸。误差线为 95% 威尔逊区间：若两者大幅重叠，先后可能出于偶然。",
    why_title: "每种表情为何识别得好或不好",
    calibration_title: "它有多自信，就有多正确吗？",
    bin_accuracy: "区间内准确率",
    bin_gap: "与置信度的差距",
    bin_perfect: "完全校准",
    confidence: "置信度（所判表情的概率）",
    ece_note: "期望校准误差 {ece}",
    caption_reliability: "按网络对答案的确信程度把人脸分入 15 个区间。上：判对的份额；落在虚线上表\
         示它说有多大把握就有多大把握。下：每个区间的人脸数。",
    lime_title: "人脸的哪些部分决定了答案（LIME）",
    lime_how: "另一种独立的检验：把人脸切成小块，随机用平均灰度遮住其中一些，再用线性模型拟合概率\
         的变化。只有当模型拟合良好，而且换一批随机图像仍能得到一致结果时才可信。",
    tile_pieces: "小块",
    tile_for: "支持",
    tile_against: "反对",
    tile_weights: "权重",
    lime_fit: "{pieces} 个小块，R² 为 {r2}；概率：线性模型 {local}，网络 {network}；各次拟合的一致\
         程度 {agreement}。",
    lime_refused: "不予显示：线性模型对网络在这张脸附近的行为解释太少（R² 为 {r2}，至少需要 0.3 和 \
         8 个小块），画出来会误导读者。",
    lime_disagrees: "不予显示：换一批随机图像拟合会找到别的小块（R² 为 {r2}，但最强的五块中仅 {shared} \
         相同），画出来会误导读者。",
    lime_misses: "不予显示：在这张脸本身，线性模型偏差达 {gap}（至多 {limit}）；它描述的是遮挡后的图像，\
         而不是这张脸。",
    key_lowers: "降低概率",
    key_raises: "提高概率",
    caption_lime: "人脸同图 1。从左到右：小块；最能提高所判表情概率的五块；最能降低它的五块，并注\
         明权重之和；全部权重。为 {fits} 次拟合的平均，每次 {samples} 张随机图像。R²：线性模型所\
         解释的概率变化的份额。",
    lime_words: "{all} 张人脸中，有 {believed} 张的线性模型拟合得足够好，可以采信。",
    errors_title: "最自信的错误",
    no_errors: "没有：每张人脸都判对了。",
    tile_map_of: "“{class}”的显著图",
    error_title: "标注为{truth}，判为{said}",
    caption_errors: "{all} 个错误中最自信的 {shown} 个。每个依次为：人脸及其在数据中的位置；网络为\
         所判表情和为标注表情分别看哪里，以及各自的概率。标注本身也可能有误。",
    suspects: "按 Northcutt 准则，其中 {count} 个错误可能是标注的错误，而不是网络的错误。",
    // How did training go?
    no_history: "训练过程未知：该网络来自单独的权重文件，没有训练文件夹。",
    loss_curve: "损失（交叉熵）",
    learning_rate: "学习率",
    best_epoch: "最佳轮次",
    epoch: "轮次",
    caption_curves: "每轮之后的准确率、损失和学习率，未作平滑。虚线：训练人脸，按网络实际所见计算，\
         即经过平移、旋转且标签经过平滑，因此训练看起来比验证更难。实线：原样的验证人脸。圆点为最\
         佳轮次。",
    course_best: "共 {epochs} 轮，验证在第 {best} 轮后最好：判对 {accuracy}；最后一轮结束时为 \
         {last}。",
    course_gap: "过拟合：{from}，训练准确率始终高于验证准确率，结束时相差 {end} 个百分点（{training} 对 \
         {validation}）。",
    course_from: "从第 {epoch} 轮起",
    course_from_latest: "至迟从第 {epoch} 轮起",
    course_no_gap: "看不出过拟合：结束时训练判对 {training}，验证判对 {validation}。",
    course_sizes: "训练的前 {share} 中，网络看到的人脸较小（宽 {sides} 像素），验证人脸则不缩小：两个准\
         确率只在此之后比较。",
    course_harm: "验证损失在第 {epoch} 轮后最低（{lowest}），之后升至 {last}；缩短训练或加强正则化\
         可能更好。",
    course_falling: "结束时验证损失仍在下降（{last}）。",
    course_flat: "验证损失在第 {epoch} 轮后最低（{lowest}），此后基本保持（结束时 {last}）。",
    rate_step: "第 {epoch} 轮学习率从 {from} 降到 {to}，验证准确率变化 {gain} 个百分点。",
    rate_smooth: "学习率没有阶跃（{shape}）：从最高 {highest} 到结束时 {last}。",
    rate_small: "从第 {epoch} 轮起学习率低于最高值的十分之一，此后验证准确率变化 {gain} 个百分点。",
    shape_linear: "线性下降",
    shape_cosine: "余弦下降",
    shape_one_cycle: "单周期",
    shape_step: "阶跃下降",
    shape_constant: "恒定",
    shape_unknown: "方案未知",
    // How this report was made
    made_how: "第一条命令生成本页，其余命令逐一生成各个部分，图更大，选项更多。",
    made_network: "网络",
    parameters_of: "{name}，{count} 个参数",
    made_judged_on: "检验数据",
    faces_of: "{data}，{faces} 张人脸",
    made_validation: "训练时的验证人脸",
    made_hash: "人脸与标注的指纹",
    made_seed: "图的随机种子",
    made_trained_on: "训练数据",
    drawn_faces: "{count} 张绘制的人脸，其中一部分留作验证",
    made_budget: "训练长度",
    budget_epochs: "{count} 轮",
    budget_minutes: "{count} 分钟",
    made_recipe: "训练方式",
    recipe_of_training: "每批 {batch} 张，学习率 {lr}，权重衰减 {decay}，标签平滑 {smoothing}，种\
         子 {seed}",
    made_version: "版本",
    made_machine: "机器",
    made_threads: "线程数",
    made_time: "用时",
    seconds: "{seconds} 秒",
    made_repeatable: "同样的网络、人脸和种子会生成逐字节相同的页面，最后三行除外。",
};
