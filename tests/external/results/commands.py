"""The commands that same_results.py runs with both programs, by part."""

# A small network with every kind of layer.
EVERY_LAYER = """
name = "every-layer"
layers = [
  { type = "conv2d", filters = 8 },
  { type = "max_pooling2d" },
  { type = "batch_normalization" },
  { type = "activation" },
  { type = "residual", layers = [
    { type = "conv2d", filters = 8, groups = 2 },
    { type = "batch_normalization" },
    { type = "squeeze_excite" },
  ] },
  { type = "activation", function = "leaky_relu" },
  { type = "average_pooling2d" },
  { type = "conv2d", filters = 12, kernel = 5, stride = 2, bias = true },
  { type = "activation", function = "tanh" },
  { type = "conv2d", filters = 12, dilation = 2 },
  { type = "batch_normalization" },
  { type = "activation" },
  { type = "global_average_pooling2d" },
  { type = "linear", units = 16 },
  { type = "activation", function = "sigmoid" },
  { type = "dropout", rate = 0.1 },
  { type = "linear", units = 7 },
]
"""

FILES = {"every.toml": EVERY_LAYER}

# A network that later commands of the part use.
SMALL_RUN = """
run: train --arch every.toml --epochs 3 --set synthetic=700 --batch 32 --optimizer adam-w --no-tensorboard --out run
"""
FACES = """
faces: data synth --count 14 --first 4294967296 --out faces.csv
"""
MANY_FACES = """
many: data synth --count 140 --first 4294967296 --imbalanced --out many.csv.gz
"""

# Every line is NAME: ARGUMENTS. Standard output goes to NAME.json (with --json) or NAME.txt.
# Lines that begin with @ are steps of this script: see `step`.
PARTS = {
    "train": """
fer-s: train --arch fer-s --epochs 2 --set synthetic=700 --out fer-s
every: train --arch every.toml --epochs 3 --set synthetic=700 --batch 32 --optimizer adam-w --out every
tiny-1-thread: --threads 1 train --arch tiny --epochs 1 --set synthetic=140 --batch 32 --no-tensorboard --out tiny
tiny-direct: --conv direct train --arch tiny --epochs 1 --set synthetic=140 --batch 32 --no-tensorboard --out direct
tiny-im2col: --conv im2col train --arch tiny --epochs 1 --set synthetic=140 --batch 32 --no-tensorboard --out im2col
tiny-winograd: --conv winograd train --arch tiny --epochs 1 --set synthetic=140 --batch 32 --no-tensorboard --out winograd
tiny-avx2: --simd avx2 train --arch tiny --epochs 1 --set synthetic=140 --batch 32 --no-tensorboard --out avx2
tiny-portable: --simd portable train --arch every.toml --epochs 1 --set synthetic=140 --batch 32 --lr 0.01 --no-tensorboard --out portable
fer-m: train --arch fer-m --epochs 1 --set synthetic=70 --batch 21 --no-tensorboard --out fer-m
fer-l: train --arch fer-l --epochs 1 --set synthetic=70 --batch 21 --no-tensorboard --out fer-l
vgg: train --arch vgg --epochs 1 --set synthetic=70 --batch 21 --no-tensorboard --out vgg
curves: curves fer-s every
curves-picture: curves fer-s every --out curves.png
""",
    "options": """
all: train --arch every.toml --epochs 4 --set synthetic=350 --batch 32 --optimizer adam --schedule one-cycle --lr 0.003 --augment strong --deduplicate --seed 5 --set mixup=0.2 --set class_balanced=true --set init=whitening-identity --set optimizer.clip_norm=1 --set optimizer.weight_decay=0.01 --set augment.equalize=true --set sizes=[{until=0.5,side=32},{until=1,side=48}] --no-tensorboard --out all
sgd: train --arch every.toml --epochs 2 --set synthetic=350 --batch 32 --optimizer sgd --schedule cosine --lr 0.01 --ema 0 --augment none --set init=identity --set label_smoothing=0 --set optimizer.beta_lr=8 --no-tensorboard --out sgd
taught: train --arch tiny --epochs 2 --set synthetic=140 --batch 32 --schedule step --teacher all,sgd --set distill_temperature=2 --no-tensorboard --out taught
tuned: train --from all --epochs 1 --set synthetic=140 --batch 32 --lr 0.001 --schedule constant --set augment.equalize=true --no-tensorboard --out tuned
patient: train --arch every.toml --epochs 8 --set synthetic=140 --batch 32 --lr 0.01 --patience 1 --set init=whitening --no-tensorboard --out patient
by-heart: train --arch every.toml --epochs 4 --overfit 21 --lr 0.01 --no-tensorboard --out by-heart
fast: train --recipe fast --print-config
best: train --recipe best --print-config
""",
    "resume": """
whole: train --arch fer-s --epochs 4 --set synthetic=700 --out whole
@stop stopped: train --arch fer-s --epochs 4 --set synthetic=700 --out stopped
@copy stopped resumed
resume: train --resume resumed
@equal whole/last.safetensors resumed/last.safetensors
@equal whole/best.safetensors resumed/best.safetensors
""",
    "demo": """
demo: demo --epochs 1 --out demo
""",
    "report": SMALL_RUN + """
quick: report run --quick --out quick.html --json
""",
    "eval": SMALL_RUN + MANY_FACES + """
own: eval --data many.csv.gz --json
own-tta: eval --data many.csv.gz --tta --limit 42 --json
own-words: eval --data many.csv.gz
run: eval run --json --out judged
run-tta: eval run --tta --json
mean: eval own run --data many.csv.gz --limit 42 --json
calibrate: calibrate run --json
calibrated: eval run --json
calibrated-tta: eval run --tta --json
""",
    "maps": SMALL_RUN + FACES + """
own: saliency --data faces.csv --index 3 --method all --raw own.npy --json
own-page: saliency --data faces.csv --out own.png
all: saliency run --per-class 1 --method all --raw all.npy --out all.png --json
double: saliency run --index 3 --method all --samples 50 --double --raw double.npy --json
table: saliency run --index 0,9 --method smoothgrad --samples 16 --seed 3 --raw table.csv --json
true: saliency run --per-class 1 --method ig --target true --black --raw true.npy --json
loss: saliency run --per-class 1 --method saliency --target loss --raw loss.npy --common-scale --out loss.svg --json
contrast: saliency run --per-class 1 --method grad-x-input --target contrast --raw contrast.npy --json
class: saliency run --per-class 1 --method gradcam++ --target happy --layer activation_3 --raw class.npy --json
verify: verify run --json
""",
    "sets": SMALL_RUN + MANY_FACES + """
regions: saliency --data many.csv.gz --faces 35 --regions --out regions.png --json
regions-run: saliency run --regions --method gradcam --json
class-maps: saliency run --class-maps --out class-maps.png --json
check: saliency run --check --faces 2 --out check.png --json
template: saliency run --template --faces 14
""",
    "lime": SMALL_RUN + FACES + """
own: lime --data faces.csv --index 3 --samples 300 --fits 3 --json
run: lime run --per-class 1 --out run.png --json
face: lime run --index 2 --segments face --target true --seed 4 --json
words: lime run --index 2
""",
    "filters": SMALL_RUN + """
recipes: filters run --layer activation_1,conv2d_3 --filter 0-1 --seeds 2 --steps 32 --recipe naive,pixels,fourier,maco,face --out filters.png --json
classes: filters run --class happy,sad --seeds 1 --steps 64 --edges mirror --json
prove: filters run --layer activation_4 --filter 0-3 --seeds 1 --steps 32 --prove --summary summary.png --json
own: filters --layer activation_8 --filter 0 --seeds 1 --steps 16 --json
activations: activations run --layer all --kernels --out activations.png
mean: activations run --layer conv2d_3 --mean-per-class --faces 140 --out mean.svg
own-activations: activations --layer conv2d_2,batch_normalization_2,activation_2 --filter 0-7 --index 3 --out own.png
""",
    "export": SMALL_RUN + """
calibrate: calibrate run --json
own: export --onnx own.onnx --weights own.safetensors
own-half: export --weights own-half.safetensors --half
run: export run --onnx run.onnx --weights single.safetensors
half: export run --weights half.safetensors --half
@copy single.safetensors calibrated.safetensors
calibrate-weights: calibrate calibrated.safetensors --data many.csv.gz --json
""",
    "predict": FACES + """
sheet: data synth --count 14 --sheet sheet.png
pictures: data synth --count 7 --first 4294967296 --out pictures
table: predict faces.csv --json
words: predict faces.csv --top 3
tta: predict faces.csv --tta --json
labels: predict faces.csv --out labels.csv
folder: predict pictures --json
photo: predict sheet.png --face all --draw answers.png --json
framing: framing --data faces.csv --faces 7 --json
""",
    "data": """
even: data synth --count 70 --seed 3 --out even.csv
pictures: data synth --count 14 --out pictures --sheet sheet.svg
uneven: data synth --count 140 --imbalanced --out uneven.csv.gz
split: data split even.csv --train larger.csv --val smaller.csv --share 0.3 --seed 2
convert: data convert pictures converted.csv
stats: data stats uneven.csv.gz --out classes.png --json
check: data check even.csv --against larger.csv --json
check-words: data check even.csv --against larger.csv
info: info --json
summary: summary --json
summary-words: summary vgg
summary-file: summary every.toml --json
""",
    # With files that OLD wrote, for both programs.
    "reads_old": """
@old resume/stopped continued
continue: train --resume continued
@old train/every every
@old export/single.safetensors single.safetensors
@old export/half.safetensors half.safetensors
@old export/calibrated.safetensors calibrated.safetensors
@old export/run/calibration.json every-calibration.json
@old export/run run
every: eval every --json
run: eval run --json
predict: predict run faces.csv --json
single: eval single.safetensors --data faces.csv --json
half: eval half.safetensors --data faces.csv --json
calibrated: predict calibrated.safetensors faces.csv --json
curves: curves every
summary: summary every --json
""",
    # Only with --data and --test: the first faces of real data.
    "real": """
@head data real_train.csv 640
@head test real_test.csv 256
check: data check real_train.csv --against real_test.csv --json
own: eval --data real_test.csv --json
own-tta: eval --data real_test.csv --tta --limit 70 --json
own-unseen: eval --data real_test.csv --against real_train.csv --json
maps: saliency --data real_test.csv --index 0,1,2,3 --method smoothgrad --raw maps.npy --json
regions: saliency --data real_test.csv --faces 70 --regions --json
train: train --data real_train.csv --val real_test.csv --recipe fast --arch fer-s --epochs 1 --no-tensorboard --out run
calibrate: calibrate run --json
eval: eval run --json
framing: framing --data real_test.csv --faces 21 --json
""",
}
NEEDS = {"reads_old": ["train", "resume", "export"]}  # parts whose old results a part reads
FILES_OF = {"export": [MANY_FACES], "reads_old": [FACES]}  # commands that come first


def commands(part):
    """The lines of a part."""
    text = "".join(FILES_OF.get(part, [])) + PARTS[part]
    return [line for line in text.splitlines() if line.strip()]
