//! The phrases in English, and with them the names of all phrases.

/// Short names of the face regions for chart labels, in the order of
/// [`crate::explain::regions::face_regions::Region::ALL`].
pub(crate) const SHORT_REGIONS: [&str; 9] =
    ["eyes", "brow gap", "nose", "mouth", "cheeks", "forehead", "temples", "chin", "outside"];

phrases! {
    // The page
    title: "What {name} has learned",
    opening: "{name} is a convolutional network that classifies {classes} facial expressions from \
        gray faces of 48×48 pixels. This report evaluates it on {faces} with labels ({data}). \
        Summary:",
    the_network: "the embedded network ({name})",
    figure: "Figure {number}.",
    question_saliency: "1. Where does the network look?",
    question_filters: "2. What do the filters respond to?",
    question_evaluation: "3. How well does it recognise each expression?",
    question_training: "4. How did the training go?",
    question_provenance: "How this report was made",
    one_face: "1 face",
    count_of_faces: "{count} faces",
    all_faces: "All faces",
    training: "training",
    validation: "validation",
    accuracy: "accuracy",
    // 1. Where does the network look?
    saliency_method: "Each map divides the score of the predicted expression among the places of \
        the face: red places raise it, compared with the mean face, and blue places lower it \
        (smoothed integrated gradients, whose maps restore the answer better than the centre of the \
        image does and change with the weights). Beside it stands the gradient, which leads from the \
        score back to the pixels: where it is large, a small change of the pixel changes the score \
        most. A map shows where the network looks, not what it sees there.",
    typical_title: "One typical face per expression",
    class_means_title: "Mean maps per expression",
    regions_title: "How much of the map lies on the face?",
    face_title: "{truth}, predicted {said} ({sure})",
    face_title_unlabelled: "predicted {said} ({sure})",
    largest_gradient: "Largest gradient of a pixel: {max}.",
    tile_face: "face",
    tile_map: "for and against",
    tile_gradient: "gradient",
    tile_overlay: "overlay",
    tile_mean_face: "mean face",
    tile_mean_map: "mean map",
    tile_own: "minus all classes",
    tile_difference: "correct − wrong",
    key_nothing: "no influence",
    key_much: "most influence",
    key_against: "speaks against",
    key_for: "speaks for",
    key_less: "less than the mean of all classes",
    key_more: "more",
    key_wrong: "more on wrong predictions",
    key_correct: "more on correct predictions",
    caption_typical: "One face per expression: the one whose features in the last layer are \
        nearest to the mean of its class, among the correctly predicted faces where there are \
        any. From left to right: the face; the map over it; the map, red for and blue against the \
        predicted expression; the magnitude of the gradient, bright where a pixel matters. Each \
        map has its own scale, which ends at the 99th percentile.",
    caption_class_means: "Means over the faces of each expression. From left to right: the mean face; the mean \
        magnitude of the maps, each divided by its own mean so that all faces count equally; this minus the mean of \
        all classes, on one scale: what the network looks at here more (red) or less (blue) than elsewhere; the mean \
        map of correctly predicted faces minus that of wrongly predicted faces (left out where one of the groups is \
        empty).",
    template_alt: "mean face with the regions marked",
    caption_template: "The regions on the mean face. On each face they are moved, scaled and \
        turned to its eyes, nose and mouth, which a small network finds. Everything outside the ellipse is hair, \
        background or hands.",
    caption_lift: "Lift of each region: its share of the map divided by its share of the image \
        area; mean over {faces} with 95 % bootstrap intervals. A lift of 1 (dashed) means no \
        preference. The controls are the edges of the image (◆) and the same network with random \
        weights (▲). Only a lift above both controls shows what the network has learned.",
    caption_lift_table: "The lifts with 95 % intervals. The last two rows are the controls over \
        all faces.",
    lift: "lift",
    network: "network",
    uniform: "no preference",
    control_edges: "edges (Sobel)",
    control_random: "random weights",
    on_face: "{share} of the attribution lies on the face, which covers {area} of the image.",
    by_control: "The control ({control}) has {share}.",
    image_edges: "edges of the image",
    random_weights: "random weights",
    looks_at_face: "The network looks at the face more than at the rest of the image, and more \
        than the controls do.",
    so_does_a_control: "The network looks at the face more than at the rest of the image, but so \
        does a control.",
    not_at_face: "The network does not look at the face more than at the rest of the image.",
    not_above: "Controls not exceeded: {controls}.",
    over_all_faces: "All faces",
    most_at: "{who}: {region}, {lift} times the share of the area ({beside}){hardly}.",
    hardly: "; little on: {region}",
    more_than_all: "Higher than over all faces: {region}, {lift} instead of {all} (edges \
        {edges}).",
    few_faces: "Fewer than {fewest} faces are too few for a conclusion.",
    above_edges: "above the edges, {lift}",
    like_edges: "not above the edges, {lift}",
    no_control: "no control",
    // 2. What do the filters respond to?
    filters_method: "Activation maximization changes an image step by step until one filter \
        responds as strongly as possible. Without constraints the result resembles noise: it \
        excites the filter but shows nothing that a person recognises. MACO changes only the \
        phases of the image and keeps the amplitude of each frequency at the mean of real faces. \
        Beside each image are the parts of training faces that excite the same filter most. The \
        image should show what these parts have in common.",
    partial_filters: "{partial} of the {shown} filters shown respond to one expression more often than to the others.",
    clearest_filter: "Most clearly filter {filter} of {layer}: {class}.",
    filters_natural: "Filters visualised, without dead ones: {filters}. Images as smooth as real faces: \
        {maco} for MACO, {pixels} for pixels with Adam, {naive} for the naive method.",
    maco_more_robust: "After small shifts, rotations and scalings, the MACO images excite their \
        filters at least as much as images made from pixels with Adam (median robust z {maco} and \
        {pixels}).",
    maco_less_robust: "After small shifts, rotations and scalings, the MACO images excite their \
        filters less than images made from pixels with Adam (median robust z {maco} and {pixels}).",
    maco_more_similar: "Their similarity to the parts of real faces that excite the filters is \
        higher than that of images made from pixels with Adam (median {maco} and {pixels}).",
    maco_less_similar: "Their similarity to the parts of real faces that excite the filters is \
        not higher than that of images made from pixels with Adam (median {maco} and {pixels}).",
    no_dead_filter: "None of the visualised filters is dead.",
    dead_filters: "Dead filters, which never activate on the training faces: {count}.",
    kernels_title: "First layer: the kernels of {layer}",
    caption_kernels: "The {h}×{w} weights of each filter of the first layer, all on one scale. \
        Red is positive, blue is negative. The number below each kernel is the sum of its \
        weights. A filter with a sum near 0 responds to edges and lines. A filter with a large \
        sum responds to brightness.",
    layer_title: "Filters of {layer}",
    layer_size: "{channels} filters with maps of {h}×{w} cells. Each cell sees {side}×{side} \
        pixels of the face. The filters shown are spaced evenly over the layer and were not \
        selected.",
    filter_title: "Filter {filter}",
    filter_dead: "Dead: it never activates on the training faces.",
    filter_agreement: "Correlation of the images from different starts: {value}.",
    recipe_naive: "naive",
    recipe_pixels: "pixels, Adam",
    recipe_fourier: "Fourier, warps",
    recipe_maco: "MACO",
    recipe_face: "MACO from faces",
    tile_wanted: "what it wants to see",
    tile_output: "its output on the face",
    tile_patches: "top patches",
    tile_faces: "top faces",
    of_top: "{count} of its {total} strongest faces are {class}, {lift} times their share",
    strongest_at: "strongest at: {region}, {count} of {total}",
    no_main_class: "no class stands out",
    short_z: "robust z {value}",
    short_similarity: "sim. {value}",
    caption_filters: "Left: the image that excites the filter most (MACO; where a cell sees half of the face or more, it starts from strong faces other than those on the right); robust z is its activation after small shifts, rotations \
        and scalings, in standard deviations above the median face, and sim. its similarity to the top patches in \
        the features of the layer before (1: identical). Middle: what the filter makes of the face above; black or \
        white is 0, red is positive, blue negative. Right: the nine patches of faces that excite it most; the words \
        tell which expression is over-represented among the top hundred, and where they lie ({faces}).",
    caption_filters_again: "The filters of {layer}, in the layout of figure {figure}.",
    caption_part: "A cell of this layer sees a part of the face, so the image on the left is as large as that part.",
    caption_whole: "A cell of this layer sees the whole face, so whole faces are shown; where the image on the left is gray, it \
        does not matter to the filter.",
    of_training_faces: "{shown} of {all} training faces",
    of_evaluated_faces: "{shown} of the evaluated faces; the training faces are not available",
    significance_title: "The methods in numbers",
    caption_significance: "Medians over the filters above, without dead filters. Natural: HF of \
        at most 0.19 and lag-1 of at least 0.8. MACO images are natural by construction. Robust z \
        and similarity show whether they display what excites the filter. The last row is real \
        faces; its z is that of the strongest face without shifts or rotations.",
    caption_methods: "Filter {filter} of {layer} by each method: 20 steps of plain gradient ascent (naive); 256 steps of Adam on the \
        pixels; MACO from noise; MACO from strong faces. The first two excite the filter and look like noise.",
    row_faces: "real faces",
    head_recipe: "method",
    head_natural: "natural",
    head_hf: "HF",
    head_lag: "lag-1",
    head_z: "robust z",
    head_similarity: "similarity",
    head_agreement: "agreement",
    ideal_title: "The ideal face of each expression",
    ideal_face: "Ideal face: {class}",
    probability: "probability {sure}",
    ideal_naive: "Plain gradient ascent reaches {sure} with noise.",
    caption_ideal: "The face that each expression wants to see: MACO from the mean face, MACO from noise, and the nine faces of the \
        data with the highest score. Below an image is the probability of the expression. Where noise reaches the \
        probability of a face, too, a high score alone proves nothing.",
    maps_title: "Feature maps of one face",
    map_size: "{channels} maps of {h}×{w} cells, {zeros} zeros",
    key_largest: "maximum of the map",
    caption_maps: "Outputs of some filters for one face ({class}) after each activation layer, \
        from the first layer on. Eight maps per layer, spaced evenly, each on its own scale. \
        Early maps still show the face. Late maps show only where a feature was found.",
    // 3. How well does it recognise each expression?
    accuracy_summary: "The network predicts {accuracy} of {faces} correctly (95 % interval {low} \
        to {high}). Always predicting the most frequent expression would give {majority}.",
    overconfident: "It is overconfident: its confidence differs from its accuracy by {ece} on \
        average.",
    underconfident: "It is underconfident: its confidence differs from its accuracy by {ece} on \
        average.",
    best_class: "Best: {class}, recall {recall} of {faces} ({low} to {high}), {precision}.",
    worst_class: "Worst: {class}, recall {recall} of {faces} ({low} to {high}), {precision}.",
    rarest_class: "Fewest training faces: {class}, with a recall of {recall} of {faces} ({low} to \
        {high}), {precision}.",
    equal_recall: "All expressions have the same recall.",
    precision: "precision {precision}",
    never_predicted: "never predicted",
    not_in_training: "The training data contain no face of {class}.",
    recall_uncertain: "With so few faces, the recall is uncertain by ±{points} percentage points.",
    most_confused: "Missed faces of {class} are most often predicted as {other} ({count} of \
        {missed}).",
    class_close: "In the features of the last layer, the class nearest to {class} is {other}, at \
        {distance} standard deviations. This is closer than usual (median {typical}).",
    class_far: "In the features of the last layer, the class nearest to {class} is {other}, at \
        {distance} standard deviations. This is farther than usual (median {typical}).",
    class_typical: "In the features of the last layer, the class nearest to {class} is {other}, \
        at {distance} standard deviations. This is a usual distance (median {typical}).",
    more_training_faces: "The training data contain {times} times as many faces of {best} as of \
        {worst} ({many} and {few}).",
    counts_do_not_explain: "The number of training faces does not explain the difference: {many} \
        of {best}, {few} of {worst}.",
    prior_explains: "The class frequencies explain a part of the difference: with equal priors, \
        the recall of {worst} would be {balanced}.",
    prior_does_not_explain: "Equal priors would not help (recall {balanced}), so {worst} is hard \
        to distinguish and not only rare.",
    intervals_overlap: "The two intervals overlap, so the order may be due to chance.",
    class_absent: "{class}: these data contain no such face.",
    class_above: "{class} is recognised better than average ({accuracy}): recall {recall} of \
        {faces} ({low} to {high}), {precision}.",
    class_below: "{class} is recognised worse than average ({accuracy}): recall {recall} of \
        {faces} ({low} to {high}), {precision}.",
    class_average: "{class} is recognised about as well as average ({accuracy}): recall {recall} \
        of {faces} ({low} to {high}), {precision}.",
    class_rare: "It is rare in the training data: {faces}, {ratio} times an equal share.",
    class_common: "It is frequent in the training data: {faces}, {ratio} times an equal share.",
    class_usual: "The training data have {faces} of it, {ratio} times an equal share.",
    balanced_higher: "With equal priors, its recall would rise to {balanced}.",
    balanced_lower_frequent: "It benefits from being frequent: with equal priors, its recall \
        would fall to {balanced}.",
    balanced_lower: "With equal priors, its recall would fall to {balanced} in favour of rarer \
        expressions.",
    balanced_no_help: "Equal priors would not help (recall {balanced}), so it is hard to \
        distinguish and not only rare.",
    unlabelled: "Faces without label, left out: {count}.",
    head_measure: "measure",
    head_value: "value",
    head_meaning: "meaning",
    accuracy_means: "share of correct predictions; 95 % interval {low} to {high}",
    top2: "top-2 accuracy",
    top2_means: "the label is one of the two most probable expressions",
    macro_f1: "macro F1",
    macro_f1_means: "mean F1 over the expressions",
    balanced_accuracy: "balanced accuracy",
    balanced_accuracy_means: "mean recall over the expressions",
    kappa: "Cohen's kappa",
    kappa_means: "agreement beyond chance; 1 is perfect, 0 is chance",
    loss: "loss",
    loss_means: "mean cross-entropy in nats",
    ece: "calibration error",
    ece_means: "mean difference between confidence and accuracy; a softmax temperature of \
        {temperature} would calibrate it",
    confusion_title: "Confusion matrix",
    matrix_corner: "true ↓ predicted →",
    caption_confusion: "Confusion matrix. Rows: true expression. Columns: predicted expression. \
        Upper number: faces. Lower number: share of the true expression, which also sets the \
        colour. The diagonal holds the correct predictions; its shares are the recall.",
    confused_pair: "{truth} predicted as {predicted}: {faces}, {share} of {truth}.",
    classes_title: "Each expression in numbers",
    head_expression: "expression",
    head_recall: "recall",
    head_precision: "precision",
    head_interval: "95 % interval",
    head_faces: "faces",
    head_trained_on: "training faces",
    head_if_balanced: "recall, equal priors",
    caption_classes: "Recall: share of the faces of an expression that are predicted correctly. \
        Precision: share of the predictions of an expression that are correct. F1: harmonic mean \
        of both. The intervals are Wilson score intervals. Recall, equal priors: recall if all \
        expressions had been equally frequent in training.",
    chart_recall: "Recall per expression",
    chart_calibration: "Is it as sure as it is right?",
    chart_interval: "recall with 95 % intervals",
    chart_accuracy: "recall with 95 % intervals; dashed: accuracy {accuracy}",
    face_number: "no. {number}",
    chart_training_faces: "Recall against the number of training faces",
    counts_evaluated: "Evaluated faces per expression",
    counts_split: "Training and validation faces per expression",
    caption_class_charts: "Recall of each expression, recall against the number of training \
        faces, and the number of faces per expression. Whiskers are 95 % Wilson intervals. Where \
        two intervals overlap widely, the order may be due to chance.",
    why_title: "Each expression in words",
    calibration_title: "Does the confidence match the accuracy?",
    bin_accuracy: "accuracy in the bin",
    bin_gap: "difference from the confidence",
    bin_perfect: "perfect calibration",
    confidence: "confidence (probability of the predicted expression)",
    ece_note: "expected calibration error {ece}",
    caption_reliability: "Reliability diagram: the faces in 15 bins of confidence. Top: accuracy \
        in each bin; on the dashed line it equals the confidence. Bottom: number of faces in each \
        bin.",
    lime_title: "Which parts of a face decide the prediction (LIME)",
    lime_method: "LIME is an independent method. The face is divided into superpixels. Random \
        subsets of them are replaced by their mean gray, and a linear model is fitted to the \
        change of the probability. The result is shown only where the model fits well and fits \
        with other random subsets agree with it.",
    tile_superpixels: "superpixels",
    tile_for: "evidence for",
    tile_against: "evidence against",
    tile_weights: "weights",
    lime_fit: "{superpixels} superpixels, R² {r2}. Probability: {local} by the linear model, \
        {network} by the network. Rank correlation of the fits: {agreement}.",
    lime_regions: "By parts of the face: {regions}.",
    lime_poor_fit: "Not shown: the linear model explains too little of the network's behaviour \
        around this face (R² {r2}; at least 0.3 and 8 superpixels are needed).",
    lime_unstable: "Not shown: fits with other random subsets find other superpixels (R² {r2}, \
        but only {shared} of the top five agree).",
    lime_inaccurate: "Not shown: on the unmodified face, the linear model is off by {gap} (limit \
        {limit}).",
    key_lowers: "lowers the probability",
    key_raises: "raises the probability",
    caption_lime: "The typical faces of figure 1. From left to right: the superpixels; the five \
        that raise the probability of the predicted expression most; the five that lower it most, \
        with the sum of their weights; all weights. Means of {fits} fits with {samples} samples \
        each. R²: share of the variance of the probability that the linear model explains.",
    lime_count: "The linear model fits well enough on {believed} of {all} faces.",
    errors_title: "The most confident mistakes",
    no_errors: "None: all faces are predicted correctly.",
    tile_map_of: "map for {class}",
    error_title: "label {truth}, predicted {said}",
    caption_errors: "The {shown} most confident of {all} mistakes. From left to right: the face and its place in the data; the map \
        of the predicted expression; the map of the label, both red for and blue against it. Below each map is the \
        probability of its expression. The label itself may be wrong.",
    suspects: "Mistakes that may be label errors (confident learning, Northcutt et al. 2021): \
        {count}.",
    // 4. How did the training go?
    no_history: "The training history is not available: the network comes from a weights file \
        without a run folder.",
    loss_curve: "loss (cross-entropy)",
    learning_rate: "learning rate",
    best_epoch: "best epoch",
    epoch: "epoch",
    caption_curves: "Accuracy, loss and learning rate after each epoch, not smoothed. Dashed: \
        training faces with augmentation and smoothed labels, which lower the training accuracy. \
        Solid: validation faces without augmentation. The dot marks the best epoch.",
    training_best: "Epochs: {epochs}. Best validation accuracy: {accuracy} after epoch {best}. \
        After the last epoch: {last}.",
    training_gap: "Overfitting: {from}, the training accuracy stays above the validation \
        accuracy. At the end the difference is {end} percentage points ({training} and \
        {validation}).",
    gap_from: "from epoch {epoch} on",
    gap_from_latest: "from epoch {epoch} on at the latest",
    training_no_gap: "No overfitting is visible: at the end the training accuracy is {training} \
        and the validation accuracy {validation}.",
    training_sizes: "During the first {share} of the training, the training faces were smaller \
        ({sides} pixels wide). Validation always used the full size. The two accuracies are \
        compared only after that.",
    loss_rose: "The validation loss was lowest after epoch {epoch} ({lowest}) and then rose to \
        {last}. Shorter training or stronger regularisation may help.",
    loss_falling: "The validation loss was still falling at the end ({last}).",
    loss_level: "The validation loss was lowest after epoch {epoch} ({lowest}) and then stayed \
        level ({last} at the end).",
    rate_step: "In epoch {epoch} the learning rate fell from {from} to {to}. The validation \
        accuracy changed by {gain} percentage points.",
    rate_smooth: "The learning rate changed without steps ({shape}), from a maximum of {highest} \
        to {last} at the end.",
    rate_small: "From epoch {epoch} on, the learning rate was below a tenth of its maximum. The \
        validation accuracy changed by {gain} percentage points after that.",
    shape_linear: "linear decay",
    shape_cosine: "cosine decay",
    shape_one_cycle: "one cycle",
    shape_step: "step decay",
    shape_constant: "constant",
    shape_unknown: "unknown schedule",
    // How this report was made
    commands_intro: "The first command makes this page. The other commands make its parts one by \
        one, larger and with more options.",
    row_network: "network",
    parameters_of: "{name}, {count} parameters",
    row_evaluated_on: "evaluated on",
    faces_of: "{data}, {faces}",
    validation_faces: "the validation faces of the training",
    row_hash: "hash of the faces and labels",
    row_seed: "seed of the report",
    row_trained_on: "trained on",
    drawn_faces: "{count} drawn faces, validation faces included",
    row_teachers: "taught by",
    row_budget: "training budget",
    budget_epochs: "epochs: {count}",
    budget_minutes: "minutes: {count}",
    row_settings: "training settings",
    training_settings: "batch size {batch}, learning rate {lr}, weight decay {decay}, label \
        smoothing {smoothing}, seed {seed}",
    row_version: "version",
    row_machine: "machine",
    row_threads: "threads",
    row_time: "time",
    seconds: "{seconds} s",
    reproducible: "The same network, faces and seed give the same page, byte for byte, except for \
        the last three rows.",
}
