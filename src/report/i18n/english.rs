//! The phrases in English.

use crate::report::i18n::Phrases;

/// Parts of the face that fit under a bar, in the order of [`crate::explain::regions::face_regions::Region::ALL`].
pub(crate) const SHORT_REGIONS: [&str; 7] =
    ["eyes", "nose", "mouth", "cheeks", "forehead", "chin", "outside"];

pub(crate) const TABLE: Phrases = Phrases {
    // The page
    title: "What {name} has learnt",
    opening: "A convolutional network, {name}, that reads {classes} expressions from faces of 48×48 \
         gray pixels, questioned on {faces} labelled faces ({data}). In short:",
    figure: "Figure {number}.",
    question_look: "1. Where does it look?",
    question_want: "2. What does each filter want to see?",
    question_judge: "3. How does it judge each expression?",
    question_training: "4. How did training go?",
    question_made: "How this report was made",
    count_of_faces: "{faces} faces",
    all_faces: "All faces",
    training: "training",
    validation: "validation",
    accuracy: "accuracy",
    // Where does it look?
    look_how: "The score of the predicted expression is differentiated with respect to every pixel \
         of the face. Where the gradient is large, a small change of the pixel would move the score \
         most: that is where the network looks. It does not say what the network sees there.",
    look_faces: "One typical face of each expression",
    look_classes: "What the faces of an expression have in common",
    look_regions: "Face or not face?",
    face_title: "{truth}, read as {said} ({sure})",
    face_title_unlabelled: "read as {said} ({sure})",
    strongest_pixel: "Largest gradient of a pixel: {max}.",
    tile_face: "face",
    tile_map: "map",
    tile_overlay: "map on face",
    tile_signed: "signed",
    tile_mean_face: "mean face",
    tile_mean_map: "mean map",
    tile_difference: "right − wrong",
    key_nothing: "no influence",
    key_much: "most influence",
    key_against: "brighter lowers the score",
    key_for: "brighter raises it",
    key_wrong: "more on faces read wrong",
    key_correct: "more on faces read right",
    caption_typical: "For each expression the face that lies nearest to the middle of its class in \
         what the last layer sees, among those read right where there are any. From left to right: \
         the face; the magnitude of the gradient, bright where a pixel matters; the same laid over \
         the face; the gradient with its sign. Each map has its own scale: full colour is its 99th \
         percentile.",
    caption_class_means: "Means over the faces of each expression, so that what is particular to one \
         face averages out. From left to right: the mean face; the mean magnitude of the gradient, \
         each face's divided by its mean so that all count the same; the same on the mean face; the mean map of faces read right minus that of faces read wrong \
         (missing where there is none of one kind).",
    template_alt: "mean face with the regions drawn on it",
    caption_template: "The regions, drawn on the mean face. On each face they are moved by up to \
         four pixels to where it fits the mean face best; everything outside the ellipse is hair, \
         background or hands.",
    caption_lift: "How strongly each region draws attention: its share of the map divided by its \
         share of the picture, mean over {faces} faces, with 95 % bootstrap intervals. 1 (dashed) \
         is no preference. Only what lies above both signs is more than the edges in the picture \
         (◆) or the same network with random weights (▲) would give.",
    caption_lift_table: "The same numbers: lift with its 95 % interval; the last two rows are the \
         controls over all faces.",
    lift: "lift",
    network: "network",
    uniform: "uniform",
    control_edges: "edges (Sobel)",
    control_random: "random weights",
    on_face: "Face or not face? {share} of the attribution falls on the face, which takes {area} of \
         the picture.",
    by_control: "By {control} alone it would be {share}.",
    the_edges: "the picture's edges",
    random_weights: "random weights",
    looks_at_face: "So it looks at the face, and more than the controls explain.",
    so_does_a_control: "So it looks at the face more than at the rest, but so does a control.",
    not_at_face: "So it does not look at the face more than at the rest.",
    not_above: "Not above: {controls}.",
    over_all_faces: "Over all faces",
    most_at: "{who}: most at {region}, {lift} times its area ({beside}).",
    more_than_all: "More than over all faces at {region} ({lift} against {all}; edges there {edges}).",
    few_faces: "Fewer than {fewest} faces decide nothing.",
    above_edges: "above edges, {lift}",
    like_edges: "no more than edges, {lift}",
    no_control: "no control",
    // What does each filter want to see?
    want_how: "A picture is changed step by step until one filter answers as strongly as it can. \
         Left to itself this ends in a QR code: noise that excites the filter and means nothing to \
         an eye. So the main picture (MACO) is only allowed to move the phases of the picture, \
         while the strengths of all frequencies stay those of real faces. Beside each picture stand \
         the places in training faces that excite the same filter most: what a picture shows should \
         be found there.",
    want_natural: "Of the {filters} living filters drawn, {maco} of the MACO pictures are as smooth \
         as real faces, against {pixels} of pixels with Adam and {naive} of the naive pictures.",
    want_robust: "Shifted, turned and scaled a little, they still excite their filters at least as \
         much as pixels with Adam do (median robust z {maco} against {pixels}).",
    want_not_robust: "Shifted, turned and scaled a little, they excite their filters less than \
         pixels with Adam do (median robust z {maco} against {pixels}).",
    want_similar: "They resemble what excites the filters in real faces more than pixels with Adam \
         do (median similarity {maco} against {pixels}).",
    want_not_similar: "They do not resemble what excites the filters in real faces more than pixels \
         with Adam do (median similarity {maco} against {pixels}).",
    want_none_dead: "None of the filters drawn is dead.",
    want_dead: "Filters drawn that never fire on the training faces: {count}.",
    kernels_title: "The first layer: the kernels of {layer}",
    caption_kernels: "The {h}×{w} weights of each filter of the first layer, red above zero, blue \
         below, all on one scale; below each its sum. A sum near 0 means that the filter answers to \
         edges and lines; a large one that it answers to brightness.",
    layer_title: "Filters of {layer}",
    layer_size: "{channels} filters; maps of {h}×{w} cells, each of which sees {side}×{side} pixels \
         of the face. The filters shown are spread evenly over the layer, not chosen for their \
         looks.",
    filter_title: "Filter {filter}",
    filter_dead: "Dead: it never fires on the training faces.",
    filter_agreement: "Pictures from different starts agree by {value}.",
    recipe_naive: "before: naive",
    recipe_pixels: "before: pixels, Adam",
    recipe_fourier: "Fourier, warps",
    recipe_maco: "after: MACO",
    recipe_face: "from the mean face",
    tile_cell: "what one cell sees",
    tile_patches: "strongest in real faces",
    tile_faces: "faces it is surest of",
    of_top: "{class}: {count} of top {total}, {lift}× its share",
    no_main_class: "no class stands out",
    short_lag: "lag-1 {value}",
    short_z: "robust z {value}",
    short_similarity: "sim. {value}",
    caption_filters: "Before: twenty plain gradient steps (naive), and 256 steps with Adam. After: \
         MACO, where what hardly mattered fades to gray. Last: the nine training faces that excite \
         the filter most, and the expression that stands out among the hundred strongest ({faces}). \
         HF is the share of power above a quarter of a cycle a pixel and lag-1 the correlation of \
         neighbouring pixels; real faces have HF at most 0.19 and lag-1 at least 0.8. Robust z: how \
         strongly the picture excites the filter after small shifts, turns and scalings, in \
         standard deviations above the median face. Sim., similarity: to the faces that excite the \
         filter most, as the layer before sees them; 1 is the same.",
    caption_filters_crop: "Before: twenty plain gradient steps (naive), and 256 steps with Adam. \
         After: MACO, where what hardly mattered fades to gray, and the part of it that the most \
         excited cell sees. Last: the nine patches of training faces that excite the filter most, \
         each as large as what one cell sees, and the expression that stands out among the hundred \
         strongest ({faces}). HF is the share of power above a quarter of a cycle a pixel and lag-1 \
         the correlation of neighbouring pixels; real faces have HF at most 0.19 and lag-1 at least \
         0.8. Robust z: how strongly the picture excites the filter after small shifts, turns and \
         scalings, in standard deviations above the median face. Sim., similarity: to the faces \
         that excite the filter most, as the layer before sees them; 1 is the same.",
    caption_filters_again: "The filters of {layer}, to be read as figure {figure}.",
    caption_whole_faces: "One cell sees the whole face here, so the last column shows whole faces.",
    of_training_faces: "{shown} of {all} training faces",
    of_judged_faces: "{shown} of the judged faces; those of the training are not at hand",
    significance_title: "Before and after, in numbers",
    caption_significance: "Medians over the filters drawn above, dead ones left out. Natural: HF at most \
         0.19 and lag-1 at least 0.8. MACO's pictures are natural by construction; the evidence \
         that they show what the filter wants is robust z and similarity. The last row is real \
         faces, with the z of the strongest one as it is, without shifts or turns.",
    row_faces: "real faces",
    head_recipe: "recipe",
    head_natural: "natural",
    head_hf: "HF",
    head_lag: "lag-1",
    head_z: "robust z",
    head_similarity: "similarity",
    head_agreement: "agreement",
    ideal_title: "The ideal face of each expression",
    ideal_face: "The ideal {class} face",
    reads_as: "read so by {sure}",
    caption_ideal: "The same done for the score of each expression instead of a filter: naively, \
         with the spectrum of faces from noise, and with it from the mean face. Below each picture \
         the probability that the network gives to the expression: where it is as sure of the naive \
         pattern as of a face, a high score alone proves nothing. Right: the nine training faces \
         with the highest score.",
    maps_title: "One face, layer by layer",
    map_size: "{channels} maps of {h}×{w}, {zeros} zeros",
    key_largest: "largest of the map",
    caption_maps: "What some filters make of one face ({class}) after each rectifier, from the \
         pixels on: eight maps spread evenly over each layer, each on its own scale. Early maps \
         still show the face; later ones say only where something was found.",
    // How does it judge each expression?
    why_summary: "The network judges {accuracy} of {faces} faces right ({low}–{high} at 95 %); \
         always naming the most frequent expression would give {majority}.",
    why_too_sure: "It is too sure of itself: its confidence is off by {ece} on average.",
    why_not_sure: "It is not sure enough of itself: its confidence is off by {ece} on average.",
    why_best: "It reads {class} best: {recall} of {faces} faces found ({low}–{high}), {judged}.",
    why_worst: "It reads {class} worst: {recall} of {faces} faces found ({low}–{high}), {judged}.",
    why_rarest: "It reads {class} from the fewest examples: {recall} of {faces} faces found \
         ({low}–{high}), {judged}.",
    why_alike: "It finds every expression equally often.",
    said_right: "{precision} of such judgements right",
    never_said: "and it is never named",
    never_seen: "It never saw {class} in training.",
    why_uncertain: "With so few faces the figure is uncertain by ±{points} points.",
    why_missed: "When it misses {class}, it most often says {other} ({count} of {missed}).",
    why_overlaps: "In the last features {class} lies {distance} spreads from its nearest \
         neighbour {other}, closer than classes usually do ({typical}).",
    why_apart: "In the last features {class} lies {distance} spreads from its nearest neighbour \
         {other}, farther than classes usually do ({typical}).",
    why_as_others: "In the last features {class} lies {distance} spreads from its nearest \
         neighbour {other}, as classes usually do ({typical}).",
    why_more_often: "It saw {best} in training {times} times as often as {worst} ({many} faces \
         against {few}).",
    why_not_counts: "Training faces do not explain the gap: {many} of {best} against {few} of \
         {worst}.",
    why_caution: "Part of it is caution: if all expressions were taken as equally likely, it would \
         find {balanced} of {worst}.",
    why_hard: "Taking all expressions as equally likely would not help ({balanced} found), so \
         {worst} is hard to tell apart rather than only rare.",
    why_chance: "The two intervals overlap: the order may be chance.",
    class_absent: "{class}: these faces hold none, so nothing can be said.",
    class_good: "{class} is read better than average ({accuracy}): {recall} of {faces} faces found \
         ({low} to {high}), {judged}.",
    class_bad: "{class} is read worse than average ({accuracy}): {recall} of {faces} faces found \
         ({low} to {high}), {judged}.",
    class_average: "{class} is read about as well as the average ({accuracy}): {recall} of {faces} \
         faces found ({low} to {high}), {judged}.",
    class_rare: "It is rare: {count} training faces, {ratio} times an equal share.",
    class_common: "It is common: {count} training faces, {ratio} times an equal share.",
    class_usual: "It had {count} training faces, {ratio} times an equal share.",
    class_caution: "It is cautious: were all expressions equally likely, it would find {balanced} of \
         {class}.",
    class_eager: "It profits from being frequent: were all expressions equally likely, it would find \
         only {balanced} of {class}.",
    class_shares: "Were all expressions equally likely, rarer ones would take some of it: only \
         {balanced} of {class} found.",
    class_hard: "Taking all expressions as equally likely would not help ({balanced} found), so \
         {class} is hard to tell apart rather than only rare.",
    unlabelled: "{count} faces without label are left out.",
    head_measure: "measure",
    head_value: "value",
    head_meaning: "meaning",
    accuracy_means: "share judged right; {low} to {high} at 95 %",
    top2: "top 2",
    top2_means: "the label is among the two most probable",
    macro_f1: "macro F1",
    macro_f1_means: "mean F1 over the expressions",
    balanced_accuracy: "balanced accuracy",
    balanced_accuracy_means: "mean recall over the expressions",
    kappa: "kappa",
    kappa_means: "agreement beyond chance; 1 is perfect, 0 is chance",
    loss: "loss",
    loss_means: "mean cross-entropy, nats",
    ece: "calibration error",
    ece_means: "mean distance of confidence from accuracy; temperature {temperature} would mend it",
    confusion_title: "What is taken for what",
    matrix_corner: "true ↓ said →",
    caption_confusion: "The confusion matrix. Rows: the true expression; columns: what the network \
         said. Upper number: faces; lower: share of the true expression, which also gives the \
         shade. The diagonal is right; its shares are the recall.",
    confused_pair: "{truth} taken for {predicted}: {count} faces, {share} of {truth}.",
    classes_title: "Each expression in numbers",
    head_expression: "expression",
    head_recall: "recall",
    head_precision: "precision",
    head_interval: "95 % interval",
    head_faces: "faces",
    head_trained_on: "training faces",
    head_if_balanced: "recall if balanced",
    caption_classes: "Recall: share of the expression that is found. Precision: share of the \
         judgements that are right. F1: their harmonic mean. Intervals are Wilson's. Recall if \
         balanced: with every expression taken as equally likely.",
    chart_recall: "Share of each expression that is found",
    chart_interval: "recall with 95 % intervals",
    chart_accuracy: "recall with 95 % intervals; dashed: accuracy {accuracy}",
    face_number: "no. {number}",
    chart_more_faces: "Do more training faces mean a higher recall?",
    counts_judged: "Faces of each expression in the judged data",
    counts_split: "Faces of each expression in the training",
    caption_class_charts: "How much of each expression is found, whether that follows from the \
         number of training faces, and how many faces of each expression there are. Whiskers are 95 \
         % Wilson intervals: where two overlap widely, the order may be chance.",
    why_title: "Why each expression is read as well as it is",
    calibration_title: "Is it right as often as it is sure?",
    bin_accuracy: "accuracy in the bin",
    bin_gap: "gap to the confidence",
    bin_perfect: "perfectly calibrated",
    confidence: "confidence (probability of the expression said)",
    ece_note: "expected calibration error {ece}",
    caption_reliability: "Faces sorted by how sure the network is of its answer, in 15 bins. Above: \
         the share it gets right; on the dashed line it is right exactly as often as it says. \
         Below: how many faces fall in each bin.",
    lime_title: "Which pieces of a face make the answer (LIME)",
    lime_how: "A second, independent look: the face is cut into pieces, pieces are hidden at random \
         in their mean gray, and a linear model is fitted to how the probability changes. It is \
         only believed where that model fits, and fits again with other random pictures.",
    tile_pieces: "pieces",
    tile_for: "speaks for it",
    tile_against: "speaks against",
    tile_weights: "weights",
    lime_fit: "{pieces} pieces, R² {r2}; probability {local} by the linear model, {network} by the \
         network; fits agree by {agreement}.",
    lime_refused: "Not shown: the linear model explains too little of what the network does around \
         this face (R² {r2}, needed 0.3, and 8 pieces), so a picture of it would mislead.",
    lime_disagrees: "Not shown: fits with other random pictures find other pieces (R² {r2}, but only \
         {shared} of the five strongest in common), so a picture of it would mislead.",
    lime_misses: "Not shown: at this very face the linear model is off by {gap} (at most {limit}); it \
         describes the pictures with hidden pieces, not the face.",
    key_lowers: "lowers the probability",
    key_raises: "raises it",
    caption_lime: "Typical faces as in figure 1. From left to right: the pieces; the five that raise \
         the probability of the expression said most; the five that lower it most, with the sum of \
         their weights; all weights. Means of {fits} fits on {samples} random pictures each. R²: \
         share of the change of the probability that the linear model explains.",
    lime_words: "On {believed} of {all} faces the linear model fits well enough to be believed.",
    errors_title: "The most confident errors",
    no_errors: "None: every face is judged right.",
    tile_map_of: "map for {class}",
    error_title: "labelled {truth}, read as {said}",
    caption_errors: "The {shown} most confident of {all} errors. For each: the face and where to \
         find it in the data; where the network looks for the expression that it says, and for the \
         one on the label, with the probability of each. A label may itself be wrong.",
    suspects: "By Northcutt's rule {count} of the errors may be errors of the label rather than of \
         the network.",
    // How did training go?
    no_history: "Nothing is known of the training: the network came as a weights file, without a run \
         folder.",
    loss_curve: "loss (cross-entropy)",
    learning_rate: "learning rate",
    best_epoch: "best epoch",
    epoch: "epoch",
    caption_curves: "Accuracy, loss and learning rate after every epoch, nothing smoothed. Dashed: \
         training faces as they were shown to the network, that is shifted, turned and with \
         softened labels, which makes training look harder than validation. Solid: validation faces \
         as they are. The dot marks the best epoch.",
    course_best: "Of {epochs} epochs, validation was best after epoch {best}: {accuracy} right; the \
         last epoch ended with {last}.",
    course_gap: "Over-fitting: {from} on training is ahead of validation for good, by {end} points at \
         the end ({training} against {validation}).",
    course_from: "from epoch {epoch}",
    course_from_latest: "at the latest from epoch {epoch}",
    course_no_gap: "No over-fitting to be seen: training ended with {training} right, validation \
         with {validation}.",
    course_sizes: "For the first {share} of the training the faces shown to the network were smaller \
         ({sides} pixels wide) and validation faces were not: the two accuracies are compared only \
         after that.",
    course_harm: "The validation loss was lowest after epoch {epoch} ({lowest}) and rose to {last}: \
         a shorter training or more regularisation may serve better.",
    course_falling: "The validation loss was still falling at the end ({last}).",
    course_flat: "The validation loss was lowest after epoch {epoch} ({lowest}) and stayed there \
         ({last} at the end).",
    rate_step: "In epoch {epoch} the learning rate fell from {from} to {to}, and validation accuracy \
         changed by {gain} points.",
    rate_smooth: "The learning rate made no steps ({shape}): from {highest} at its highest to {last} \
         at the end.",
    rate_small: "From epoch {epoch}, when it was below a tenth of its highest, validation accuracy \
         changed by {gain} points.",
    shape_linear: "linear fall",
    shape_cosine: "cosine",
    shape_one_cycle: "one cycle",
    shape_step: "steps",
    shape_constant: "constant",
    shape_unknown: "schedule unknown",
    // How this report was made
    made_how: "The first command makes this page. The others make its parts one by one, larger and \
         with more choices.",
    made_network: "network",
    parameters_of: "{name}, {count} parameters",
    made_judged_on: "judged on",
    faces_of: "{data}, {faces} faces",
    made_validation: "the validation faces of the training",
    made_hash: "fingerprint of these faces and labels",
    made_seed: "seed of the figures",
    made_trained_on: "trained on",
    drawn_faces: "{count} drawn faces, a part kept aside for validation",
    made_budget: "length of the training",
    budget_epochs: "{count} epochs",
    budget_minutes: "{count} minutes",
    made_recipe: "how it was trained",
    recipe_of_training: "batches of {batch}, learning rate {lr}, weight decay {decay}, label \
         smoothing {smoothing}, seed {seed}",
    made_version: "version",
    made_machine: "machine",
    made_threads: "threads",
    made_time: "time",
    seconds: "{seconds} seconds",
    made_repeatable: "The same network, faces and seed give the same page, byte for byte, except for \
         the last three rows.",
};
