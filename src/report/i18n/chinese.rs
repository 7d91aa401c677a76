//! The phrases in Chinese.

use crate::report::i18n::Phrases;

/// The classes of FER2013, in the order of its labels.
pub(crate) const CLASSES: [&str; 7] = ["愤怒", "厌恶", "恐惧", "高兴", "悲伤", "惊讶", "中性"];

/// Parts of the face, in the order of [`crate::explain::regions::face_regions::Region::ALL`].
pub(crate) const REGIONS: [&str; 9] =
    ["眼睛和眉毛", "眉间", "鼻子", "嘴", "脸颊", "额头", "太阳穴", "下巴", "头发、背景和手"];

/// The same, to stand under a bar.
pub(crate) const SHORT_REGIONS: [&str; 9] =
    ["眼", "眉间", "鼻", "嘴", "脸颊", "额头", "太阳穴", "下巴", "脸外"];

pub(crate) const TABLE: Phrases = Phrases {
    // The page
    title: "{name} 学到了什么",
    opening: "{name} 是一个卷积神经网络，把 48×48 像素的灰度人脸分为 {classes} 种表情。本报告用 \
        {faces}（有标注，{data}）评估它。摘要：",
    the_network: "内置网络（{name}）",
    figure: "图 {number}。",
    question_saliency: "1. 网络在看哪里？",
    question_filters: "2. 滤波器对什么有响应？",
    question_evaluation: "3. 它识别每种表情的效果如何？",
    question_training: "4. 训练过程如何？",
    question_provenance: "本报告是如何生成的",
    one_face: "1 张人脸",
    count_of_faces: "{count} 张人脸",
    all_faces: "全部人脸",
    training: "训练",
    validation: "验证",
    accuracy: "准确率",
    // 1. Where does the network look?
    saliency_method: "每张图把预测表情的得分分摊到人脸的各个位置：与平均脸相比，红色的位置提高得分，蓝色的\
        位置降低得分（平滑积分梯度：比图像中心更能恢复答案，并随权重而变）。旁边是梯度，从\
        得分回到像素：梯度大的地方，像素的微小变化对得分影响最大。显著图说明网络在看哪里，但\
        不说明网络在那里看到了什么。",
    typical_title: "每种表情的一张典型人脸",
    class_means_title: "每种表情的平均显著图",
    regions_title: "显著图有多少落在脸上？",
    face_title: "{truth}，预测为{said}（{sure}）",
    face_title_unlabelled: "预测为{said}（{sure}）",
    largest_gradient: "单个像素的最大梯度：{max}。",
    tile_face: "人脸",
    tile_map: "支持与反对",
    tile_gradient: "梯度",
    tile_overlay: "叠加图",
    tile_mean_face: "平均脸",
    tile_mean_map: "平均显著图",
    tile_own: "减去各类均值",
    tile_difference: "正确 − 错误",
    key_nothing: "无影响",
    key_much: "影响最大",
    key_against: "反对",
    key_for: "支持",
    key_less: "少于各类均值",
    key_more: "多于",
    key_wrong: "预测错误时更多",
    key_correct: "预测正确时更多",
    caption_typical: "每种表情一张脸：在预测正确的人脸中（若有），最后一层特征离本类均值最近的一张\
        。从左到右：人脸；叠加在人脸上的图；该图，红色支持、蓝色反对预测的表情；梯度的幅值，越亮的\
        像素越重要。每张图使用各自的色标，上限为第 99 百分位数。",
    caption_class_means: "每种表情的人脸的平均。从左到右：平均脸；各图的平均幅值，每张图先除以自身的均值，使所有人脸同等计\
        入；再减去各类的均值，用同一色标：网络在此比在其他表情上看得更多（红）或更少（蓝）之处；预测正确的\
        人脸的平均图减去预测错误的人脸的平均图（若其中一组为空则省略）。",
    template_alt: "标出各区域的平均脸",
    caption_template: "平均脸上的各个区域。在每张脸上，区域经平移、缩放和旋转，对准由一个小网络\
        找到的眼睛、鼻子和嘴。椭圆之外是头发、背景或手。",
    caption_lift: "各区域的提升度：区域在显著图中的份额除以它占图像面积的份额；对 {faces}取平均，\
        附 95% 自助法区间。提升度为 1（虚线）表示没有偏好。两个对照是图像的边缘（◆）和随机权重的同\
        一网络（▲）。只有高于两个对照的提升度才说明网络学到了什么。",
    caption_lift_table: "提升度及其 95% 区间。最后两行是全部人脸上的对照。",
    lift: "提升度",
    network: "网络",
    uniform: "无偏好",
    control_edges: "边缘（Sobel）",
    control_random: "随机权重",
    on_face: "{share} 的归因落在脸上，脸占图像的 {area}。",
    by_control: "对照（{control}）为 {share}。",
    image_edges: "图像边缘",
    random_weights: "随机权重",
    looks_at_face: "网络看脸多于看图像的其余部分，并且超过了对照。",
    so_does_a_control: "网络看脸多于看图像的其余部分，但有对照也是如此。",
    not_at_face: "网络看脸并不多于看图像的其余部分。",
    not_above: "未超过的对照：{controls}。",
    over_all_faces: "全部人脸",
    most_at: "{who}：{region}，为其面积的 {lift} 倍（{beside}）{hardly}。",
    hardly: "；{region}几乎不起作用",
    more_than_all: "与全部人脸相比，{region}的提升度更高：{lift}，而全部人脸为 {all}（边缘 {edges}\
        ）。",
    few_faces: "人脸少于 {fewest} 张，不足以得出结论。",
    above_edges: "高于边缘的 {lift}",
    like_edges: "不高于边缘的 {lift}",
    no_control: "无对照",
    // 2. What do the filters respond to?
    filters_method: "激活最大化逐步改变一张图像，直到某个滤波器的响应尽可能强。若不加约束，结果近\
        似噪声：它能激发滤波器，人却认不出任何内容。MACO 只改变图像的相位，各频率的幅值保持为真实\
        人脸的平均值。每张图旁边是训练人脸中最能激发同一滤波器的部位。图像应当显示这些部位的共同之\
        处。",
    partial_filters: "所示 {shown} 个滤波器中有 {partial} 个对某一种表情的响应多于其他表情。",
    clearest_filter: "最明显的是 {layer} 的滤波器 {filter}：{class}。",
    filters_natural: "可视化的滤波器（不含死滤波器）：{filters} 个。与真实人脸一样平滑的图像，\
        MACO 占 {maco}，“像素 + Adam”占 {pixels}，朴素方法占 {naive}。",
    maco_more_robust: "经过小幅平移、旋转和缩放后，MACO 图像对滤波器的激发不弱于“像素 + Adam”的图\
        像（稳健 z 的中位数：{maco} 和 {pixels}）。",
    maco_less_robust: "经过小幅平移、旋转和缩放后，MACO 图像对滤波器的激发弱于“像素 + Adam”的图像\
        （稳健 z 的中位数：{maco} 和 {pixels}）。",
    maco_more_similar: "与真实人脸中激发滤波器的部位相比，它们的相似度高于“像素 + Adam”的图像（中\
        位数：{maco} 和 {pixels}）。",
    maco_less_similar: "与真实人脸中激发滤波器的部位相比，它们的相似度不高于“像素 + Adam”的图像（\
        中位数：{maco} 和 {pixels}）。",
    no_dead_filter: "可视化的滤波器中没有死滤波器。",
    dead_filters: "死滤波器（在训练人脸上从不激活）：{count} 个。",
    kernels_title: "第一层：{layer} 的卷积核",
    caption_kernels: "第一层每个滤波器的 {h}×{w} 个权重，统一色标：红色为正，蓝色为负。每个卷积核\
        下方是权重之和。和接近 0 的滤波器响应边缘和线条，和较大的滤波器响应亮度。",
    layer_title: "{layer} 的滤波器",
    layer_size: "共 {channels} 个滤波器，特征图为 {h}×{w} 个单元。每个单元看到人脸上的 {side}×\
        {side} 个像素。所示滤波器在该层中等间隔选取，未经挑选。",
    filter_title: "滤波器 {filter}",
    filter_dead: "死滤波器：在训练人脸上从不激活。",
    filter_agreement: "不同初始值所得图像的相关系数：{value}。",
    recipe_naive: "朴素方法",
    recipe_pixels: "像素 + Adam",
    recipe_fourier: "傅里叶 + 形变",
    recipe_maco: "MACO 方法",
    recipe_face: "MACO，从人脸出发",
    tile_wanted: "它想看到的",
    tile_output: "它对该人脸的输出",
    tile_patches: "响应最强的图块",
    tile_faces: "得分最高的人脸",
    of_top: "最强的 {total} 张人脸中有 {count} 张是{class}，为其占比的 {lift} 倍",
    strongest_at: "响应最强处：{region}，{total} 处中的 {count} 处",
    no_main_class: "无突出类别",
    short_z: "稳健 z {value}",
    short_similarity: "相似度 {value}",
    caption_filters: "左：最能激发该滤波器的图像（MACO；单元能看到半张脸以上时，从右侧之外的强响应人脸出发）；稳健 z 是图像经过小幅平移、旋转和缩放后对滤波器的激活，以高\
        出人脸中位数的标准差计；相似度是在前一层的特征中与响应最强的图块的相似程度，1 表示相同。中：该\
        滤波器对上方人脸的输出，黑色或白色为 0，红色为正，蓝色为负。右：最能激发它的九个人脸图块；文字\
        说明在前一百个中占比偏高的表情，以及它们所在的部位（{faces}）。",
    caption_filters_again: "{layer} 的滤波器，布局同图 {figure}。",
    caption_part: "该层的一个单元只看到人脸的一部分，因此左图与这一部分同样大小。",
    caption_whole: "该层的一个单元能看到整张脸，因此显示整张脸；左图中灰色的部分对滤波器没有影响。",
    of_training_faces: "{all} 张训练人脸中的 {shown} 张",
    of_evaluated_faces: "{shown} 张评估人脸；无法取得训练人脸",
    significance_title: "各方法的数值对比",
    caption_significance: "上述滤波器的中位数，不含死滤波器。自然：HF 不超过 0.19 且相邻相关不低于 \
        0.8。MACO 图像的自然性由方法本身保证。稳健 z 和相似度说明图像是否显示了激发滤波器的内容。\
        最后一行是真实人脸，其 z 取最强的一张，未经平移或旋转。",
    caption_methods: "{layer} 的滤波器 {filter}，用各种方法得到的图像：20 步普通梯度上升（朴素方法）；对像素做 256 步 \
        Adam；从噪声出发的 MACO；从强响应人脸出发的 MACO。前两种能激发滤波器，却看似噪声。",
    row_faces: "真实人脸",
    head_recipe: "方法",
    head_natural: "自然",
    head_hf: "高频份额 HF",
    head_lag: "相邻相关",
    head_z: "稳健 z",
    head_similarity: "相似度",
    head_agreement: "一致程度",
    ideal_title: "每种表情的理想人脸",
    ideal_face: "理想人脸：{class}",
    probability: "概率 {sure}",
    ideal_naive: "普通梯度上升所得的噪声达到 {sure}。",
    caption_ideal: "每种表情想看到的脸：从平均脸出发的 MACO；从噪声出发的 MACO；数据中得分最高的九张人脸。图像下方是该\
        表情的概率。若噪声也能达到人脸的概率，则高分本身不能说明什么。",
    maps_title: "一张人脸的特征图",
    map_size: "{channels} 张 {h}×{w} 特征图，{zeros} 为零",
    key_largest: "该图最大值",
    caption_maps: "一张人脸（{class}）在各激活层之后部分滤波器的输出，从第一层开始。每层等间隔选取\
        八张图，各用自己的色标。靠前的图还能看出人脸，靠后的图只说明在哪里找到了某个特征。",
    // 3. How well does it recognise each expression?
    accuracy_summary: "网络对 {faces}的预测有 {accuracy} 正确（95% 区间 {low} 至 {high}）。若总是\
        预测最常见的表情，则为 {majority}。",
    overconfident: "它过于自信：置信度与准确率平均相差 {ece}。",
    underconfident: "它不够自信：置信度与准确率平均相差 {ece}。",
    best_class: "召回率最高：{class}，{faces}中的 {recall}（{low} 至 {high}），{precision}。",
    worst_class: "召回率最低：{class}，{faces}中的 {recall}（{low} 至 {high}），{precision}。",
    rarest_class: "训练人脸最少：{class}，召回率为 {faces}中的 {recall}（{low} 至 {high}），\
        {precision}。",
    equal_recall: "所有表情的召回率相同。",
    precision: "精确率 {precision}",
    never_predicted: "从未被预测",
    not_in_training: "训练数据中没有{class}的人脸。",
    recall_uncertain: "人脸数量很少，召回率的不确定度为 ±{points} 个百分点。",
    most_confused: "漏判的{class}人脸最常被预测为{other}（{missed} 张中有 {count} 张）。",
    class_close: "在最后一层的特征中，与{class}最近的类别是{other}，相距 {distance} 个标准差，比通\
        常更近（中位数 {typical}）。",
    class_far: "在最后一层的特征中，与{class}最近的类别是{other}，相距 {distance} 个标准差，比通常\
        更远（中位数 {typical}）。",
    class_typical: "在最后一层的特征中，与{class}最近的类别是{other}，相距 {distance} 个标准差，与\
        通常相当（中位数 {typical}）。",
    more_training_faces: "训练数据中{best}的人脸数是{worst}的 {times} 倍（{many} 张和 {few} 张）。",
    counts_do_not_explain: "训练人脸的数量不能解释这一差距：{best} {many} 张，{worst} {few} 张。",
    prior_explains: "类别频率能解释一部分差距：若先验概率相等，{worst}的召回率为 {balanced}。",
    prior_does_not_explain: "先验概率相等也没有帮助（召回率 {balanced}），可见{worst}难以区分，而\
        不只是少见。",
    intervals_overlap: "两个区间有重叠，因此先后次序可能出于偶然。",
    class_absent: "{class}：这些数据中没有这类人脸。",
    class_above: "{class}的识别好于平均水平（{accuracy}）：召回率为 {faces}中的 {recall}（{low} 至 \
        {high}），{precision}。",
    class_below: "{class}的识别差于平均水平（{accuracy}）：召回率为 {faces}中的 {recall}（{low} 至 \
        {high}），{precision}。",
    class_average: "{class}的识别与平均水平（{accuracy}）相当：召回率为 {faces}中的 {recall}（\
        {low} 至 {high}），{precision}。",
    class_rare: "它在训练数据中少见：{faces}，为均等份额的 {ratio} 倍。",
    class_common: "它在训练数据中常见：{faces}，为均等份额的 {ratio} 倍。",
    class_usual: "训练数据中有 {faces}，为均等份额的 {ratio} 倍。",
    balanced_higher: "若先验概率相等，其召回率会升至 {balanced}。",
    balanced_lower_frequent: "它得益于出现频率高：若先验概率相等，其召回率会降至 {balanced}。",
    balanced_lower: "若先验概率相等，其召回率会降至 {balanced}，较少见的表情会因此受益。",
    balanced_no_help: "先验概率相等也没有帮助（召回率 {balanced}），可见它难以区分，而不只是少见。",
    unlabelled: "没有标注、未计入的人脸：{count} 张。",
    head_measure: "指标",
    head_value: "数值",
    head_meaning: "含义",
    accuracy_means: "预测正确的份额；95% 区间 {low} 至 {high}",
    top2: "前二准确率",
    top2_means: "标注是概率最高的两种表情之一",
    macro_f1: "宏平均 F1",
    macro_f1_means: "各表情 F1 的平均",
    balanced_accuracy: "平衡准确率",
    balanced_accuracy_means: "各表情召回率的平均",
    kappa: "Cohen κ 系数",
    kappa_means: "超出偶然的一致性；1 为完全一致，0 为偶然",
    loss: "损失",
    loss_means: "平均交叉熵（单位：奈特）",
    ece: "校准误差",
    ece_means: "置信度与准确率的平均差距；softmax 温度取 {temperature} 可校准",
    confusion_title: "混淆矩阵",
    matrix_corner: "真实 ↓ 预测 →",
    caption_confusion: "混淆矩阵。行：真实表情。列：预测表情。上方数字：人脸数。下方数字：占真实表\
        情的份额，颜色深浅也由它决定。对角线是正确的预测，其份额即召回率。",
    confused_pair: "{truth}被预测为{predicted}：{faces}，占{truth}的 {share}。",
    classes_title: "各表情的数值",
    head_expression: "表情",
    head_recall: "召回率",
    head_precision: "精确率",
    head_interval: "95% 区间",
    head_faces: "人脸数",
    head_trained_on: "训练人脸数",
    head_if_balanced: "等先验召回率",
    caption_classes: "召回率：某表情的人脸中预测正确的份额。精确率：预测为某表情的人脸中正确的份额\
        。F1：两者的调和平均。区间为威尔逊区间。等先验召回率：若各表情在训练中同样常见时的召回率。",
    chart_recall: "各表情的召回率",
    chart_calibration: "把握有多大，就有多准吗？",
    chart_interval: "召回率及 95% 区间",
    chart_accuracy: "召回率及 95% 区间；虚线：准确率 {accuracy}",
    face_number: "第 {number} 号",
    chart_training_faces: "召回率与训练人脸数",
    counts_evaluated: "各表情的评估人脸数",
    counts_split: "各表情的训练与验证人脸数",
    caption_class_charts: "各表情的召回率、召回率与训练人脸数的关系，以及各表情的人脸数。误差线为 \
        95% 威尔逊区间。两个区间大幅重叠时，先后次序可能出于偶然。",
    why_title: "各表情的文字说明",
    calibration_title: "置信度与准确率相符吗？",
    bin_accuracy: "区间内准确率",
    bin_gap: "与置信度的差距",
    bin_perfect: "完全校准",
    confidence: "置信度（预测表情的概率）",
    ece_note: "期望校准误差 {ece}",
    caption_reliability: "可靠性图：按置信度把人脸分入 15 个区间。上：各区间的准确率，在虚线上等于\
        置信度。下：各区间的人脸数。",
    lime_title: "人脸的哪些部分决定预测（LIME）",
    lime_method: "LIME 是一种独立的方法。人脸被划分为超像素，随机选取其中一些并用各自的平均灰度代\
        替，再用线性模型拟合概率的变化。只有模型拟合良好，并且用其他随机子集的拟合与之一致时，才显\
        示结果。",
    tile_superpixels: "超像素",
    tile_for: "支持的证据",
    tile_against: "反对的证据",
    tile_weights: "权重",
    lime_fit: "{superpixels} 个超像素，R² 为 {r2}。概率：线性模型 {local}，网络 {network}。各次拟\
        合的秩相关：{agreement}。",
    lime_regions: "按面部区域：{regions}。",
    lime_poor_fit: "不予显示：线性模型对网络在这张脸附近的行为解释太少（R² 为 {r2}；至少需要 0.3 \
        和 8 个超像素）。",
    lime_unstable: "不予显示：用其他随机子集拟合会得到不同的超像素（R² 为 {r2}，但前五个中仅 \
        {shared} 一致）。",
    lime_inaccurate: "不予显示：对未改动的人脸，线性模型的偏差为 {gap}（上限 {limit}）。",
    key_lowers: "降低概率",
    key_raises: "提高概率",
    caption_lime: "图 1 的典型人脸。从左到右：超像素；最能提高预测表情概率的五个；最能降低它的五个\
        ，并注明权重之和；全部权重。为 {fits} 次拟合的平均，每次 {samples} 个样本。R²：线性模型所\
        解释的概率方差的份额。",
    lime_count: "{all} 张人脸中，有 {believed} 张的线性模型拟合得足够好。",
    errors_title: "置信度最高的错误",
    no_errors: "没有：所有人脸都预测正确。",
    tile_map_of: "“{class}”的显著图",
    error_title: "标注{truth}，预测为{said}",
    caption_errors: "{all} 个错误中置信度最高的 {shown} 个。从左到右：人脸及其在数据中的位置；对预测表情的图；对标注表情的\
        图，红色支持、蓝色反对。每张图下方是相应表情的概率。标注本身也可能有误。",
    suspects: "可能是标注错误的（置信学习，Northcutt 等，2021）：{count} 个。",
    // 4. How did the training go?
    no_history: "没有训练记录：该网络来自单独的权重文件，没有训练文件夹。",
    loss_curve: "损失（交叉熵）",
    learning_rate: "学习率",
    best_epoch: "最佳轮次",
    epoch: "轮次",
    caption_curves: "每轮之后的准确率、损失和学习率，未作平滑。虚线：经过数据增强和标签平滑的训练\
        人脸，训练准确率因此偏低。实线：未经增强的验证人脸。圆点为最佳轮次。",
    training_best: "共 {epochs} 轮。最佳验证准确率：{accuracy}，在第 {best} 轮之后。最后一轮之后：\
        {last}。",
    training_gap: "过拟合：{from}，训练准确率一直高于验证准确率。结束时相差 {end} 个百分点（\
        {training} 和 {validation}）。",
    gap_from: "从第 {epoch} 轮起",
    gap_from_latest: "至迟从第 {epoch} 轮起",
    training_no_gap: "看不出过拟合：结束时训练准确率为 {training}，验证准确率为 {validation}。",
    training_sizes: "在训练的前 {share} 中，训练人脸较小（宽 {sides} 像素）。验证始终使用完整尺寸\
        。两个准确率只在此之后比较。",
    loss_rose: "验证损失在第 {epoch} 轮之后最低（{lowest}），随后升至 {last}。缩短训练或加强正则化\
        可能有帮助。",
    loss_falling: "结束时验证损失仍在下降（{last}）。",
    loss_level: "验证损失在第 {epoch} 轮之后最低（{lowest}），此后基本持平（结束时 {last}）。",
    rate_step: "第 {epoch} 轮，学习率从 {from} 降到 {to}。验证准确率变化了 {gain} 个百分点。",
    rate_smooth: "学习率平滑变化（{shape}），从最高 {highest} 到结束时的 {last}。",
    rate_small: "从第 {epoch} 轮起，学习率低于最高值的十分之一。此后验证准确率变化了 {gain} 个百分\
        点。",
    shape_linear: "线性衰减",
    shape_cosine: "余弦衰减",
    shape_one_cycle: "单周期",
    shape_step: "阶梯衰减",
    shape_constant: "恒定",
    shape_unknown: "方案未知",
    // How this report was made
    commands_intro: "第一条命令生成本页。其余命令逐一生成各个部分，图更大，选项更多。",
    row_network: "网络",
    parameters_of: "{name}，{count} 个参数",
    row_evaluated_on: "评估数据",
    faces_of: "{data}，共 {faces}",
    validation_faces: "训练时的验证人脸",
    row_hash: "人脸与标注的哈希值",
    row_seed: "报告的随机种子",
    row_trained_on: "训练数据",
    drawn_faces: "{count} 张绘制的人脸，含验证人脸",
    row_teachers: "教师网络",
    row_budget: "训练预算",
    budget_epochs: "{count} 轮",
    budget_minutes: "{count} 分钟",
    row_settings: "训练设置",
    training_settings: "批大小 {batch}，学习率 {lr}，权重衰减 {decay}，标签平滑 {smoothing}，种子 \
        {seed}",
    row_version: "版本",
    row_machine: "机器",
    row_threads: "线程数",
    row_time: "用时",
    seconds: "{seconds} 秒",
    reproducible: "同样的网络、人脸和种子会生成逐字节相同的页面，最后三行除外。",
};
