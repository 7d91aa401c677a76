"""Compares two folders of results, and says which differences are allowed, and why."""

import json
import re
import struct
import sys

from results.values import READERS

# (pattern of an old "file:/path", its replacement), applied by re.sub in this order. A file's name
# comes with its part: "eval/own.json:/per_class/3/recall". A column of a CSV is "…csv:/row/column".
RENAMED = [
    (r"/facts(/|$)", r"/notes\1"),
    (r"^(filters/prove\.json:.*)/checks(/|$)", r"\1/criteria\2"),
    (r"^((?:filters|report)/.*:.*)/recipe$", r"\1/method"),
    (r"^(sets/check\.json:.*)/leads(/|$)", r"\1/advantage\2"),
    (r"^(lime/.*:.*)/pieces(/|$)", r"\1/superpixels\2"),
    (r"^(lime/.*:.*)/piece_names(/|$)", r"\1/superpixel_names\2"),
    (r"^(filters/.*:)/recipes(/|$)", r"\1/methods\2"),
    (r"^((?:eval|report|sets)/.*:.*)/words$", r"\1/summary"),
    (r"(tfevents\S*:/)best/(accuracy|loss)/", r"\1validation/best_\2/"),
    (r"(tfevents\S*:/)class/", r"\1per_class/"),
    (r"(tfevents\S*:/)([a-z0-9_]+_\d+(?:/[a-z0-9_]+)*/(?:histogram|gradient|activation|grad_norm|weight_norm|update_ratio|dead_share))/", r"\1layers/\2/"),
]

# (pattern of an old file name with its part, its replacement).
RENAMED_FILES = []

# (pattern of an old "file:/path", {old value: new value}).
RENAMED_VALUES = []

# (pattern of a new "file:/path", reason). What is there is not compared.
ALLOWED = [
    (r"/(seconds|asked_seconds|images_per_second|remaining|watching)$", "time"),
    (r"\.safetensors(\.previous)?:/checksum$", "covers the times in the history"),
    (r"(^|/)info\.json:/", "version and machine"),
    (r"/live\.json:/(frames|filters)/", "drawn only as far as the time budget allows"),
    (r"/progress\.json:/(loss|accuracy)$", "of the last step reported, which follows the clock"),
    (r"tfevents\S*:/(images_per_second|\S*session_(start|end)_info)/", "time"),
    (r"tfevents\S*:/(saliency|filters?)/", "drawn only as far as the time budget allows"),
]

# (pattern of a new file name with its part, reason). Such files are not compared at all.
SKIPPED = [
    (r"\.err$", "messages on standard error"),
    (r"(^|/)stopped/", "how far a stopped training came follows the clock"),
    (
        r"(^|/)(resumed|continued)/(?!(last|best)\.safetensors$|metrics\.csv$)",
        "written by two sessions, one of which was stopped",
    ),
]

# Pictures that are data, not drawings: compared strictly.
FACES = r"/pictures/"

# A sentence for people in a JSON file: a difference is a warning.
SENTENCE = re.compile(r"\S+ \S+")

SAME, WORDS, PICTURE, DIFFERENT = "same", "WORDS", "PICTURE", "DIFFERENT"


def kind_of(name, path, old, new):
    """How bad it is that a value differs."""
    if isinstance(old, str) and isinstance(new, str) and name.endswith(".json"):
        if old.startswith("data:image/") and new.startswith("data:image/"):
            return PICTURE
        if SENTENCE.search(old) and SENTENCE.search(new):
            return WORDS
    if "tfevents" in name and isinstance(old, bytes) and isinstance(new, bytes):
        if b"\x89PNG" in old and b"\x89PNG" in new:
            return PICTURE
        if b"\x04text" in old and b"\x04text" in new:
            return WORDS
    return DIFFERENT


def show(value):
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, tuple):
        return f"{value[0]} {value[1]}"
    text = str(value)
    return text if len(text) < 60 else text[:57] + "..."


def renamed(key, table):
    for pattern, replacement in table:
        key = re.sub(pattern, replacement, key)
    return key


def without(folder, value):
    """A text without the place of the folder."""
    return value.replace(str(folder), "FOLDER") if isinstance(value, str) else value


def compare_values(name, old, new, folders):
    """Compares values by path; returns the worst kind of difference and what differs."""
    found, excused = [], set()
    kinds = [SAME, WORDS, PICTURE, DIFFERENT]
    old = {renamed(f"{name}:{path}", RENAMED): (path, value) for path, value in old.items()}
    new = {f"{name}:{path}": value for path, value in new.items()}
    for key in old.keys() | new.keys():
        reason = next((why for pattern, why in ALLOWED if re.search(pattern, key)), None)
        if reason:
            excused.add(reason)
            continue
        if key not in old or key not in new:
            what = "only in the new one" if key not in old else "missing in the new one"
            found.append((3, f"{key.split(':', 1)[1]}: {what}"))
            continue
        path, before = old[key]
        for pattern, values in RENAMED_VALUES:
            if re.search(pattern, f"{name}:{path}") and isinstance(before, str):
                before = values.get(before, before)
        before, now = without(folders[0], before), without(folders[1], new[key])
        if before != now and not (before != before and now != now):  # NaN equals NaN here
            kind = kinds.index(kind_of(name, path, before, now))
            found.append((kind, f"{key.split(':', 1)[1]}: {show(before)} -> {show(now)}"))
    worst = max((kind for kind, _ in found), default=0)
    details = [text for kind, text in sorted(found, key=lambda f: (-f[0], f[1]))]
    return kinds[worst], details, sorted(excused)


def compare_files(name, old, new, folders):
    """Compares two files; returns the kind of difference, details and excuses."""
    if old.read_bytes() == new.read_bytes():
        return SAME, [], []
    for pattern, reader in READERS:
        if re.search(pattern, name):
            return compare_values(name, reader(old), reader(new), folders)
    if name.endswith((".png", ".svg", ".html")) and not re.search(FACES, name):
        return PICTURE, [], []
    if name.endswith(".txt"):
        texts = [without(f, p.read_text()) for p, f in zip((old, new), folders)]
        return (SAME, [], []) if texts[0] == texts[1] else (WORDS, [], [])
    return DIFFERENT, [f"{old.stat().st_size} bytes -> {new.stat().st_size} bytes"], []


def files(folder, part, table):
    """The files of a part by name; the time in the name of an event file is left out."""
    found = {}
    for path in sorted((folder / part).rglob("*")):
        name = path.relative_to(folder).as_posix()
        name = renamed(re.sub(r"tfevents\.\d+", "tfevents", name), table)
        skipped = any(re.search(pattern, name) for pattern, _ in SKIPPED)
        if path.is_file() and not skipped and name != f"{part}/commands.txt":
            found[name] = path
    return found


def compare_part(part, old_folder, new_folder, counts, quiet):
    old, new = files(old_folder, part, RENAMED_FILES), files(new_folder, part, [])
    folders = [f.resolve() / part for f in (old_folder, new_folder)]
    for claim, holds in json.loads((new_folder / part / "exit_codes.json").read_text()).items():
        if holds is False:
            counts[DIFFERENT] = counts.get(DIFFERENT, 0) + 1
            print(f"{DIFFERENT:<9} {part}: not so: {claim}")
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            what = "only in the new results" if name not in old else "missing in the new results"
            kind, details, excused = DIFFERENT, [what], []
        else:
            try:
                kind, details, excused = compare_files(name, old[name], new[name], folders)
            except (ValueError, KeyError, struct.error, StopIteration) as e:
                kind, details, excused = DIFFERENT, [f"cannot be read: {e!r}"], []
        counts[kind] = counts.get(kind, 0) + 1
        if kind == SAME and quiet:
            continue
        note = f" (but for: {'; '.join(excused)})" if excused and kind == SAME else ""
        print(f"{kind:<9} {name}{note}")
        for line in details[:6]:
            print(f"            {line}")
        if len(details) > 6:
            print(f"            ... {len(details) - 6} more")
    sys.stdout.flush()
