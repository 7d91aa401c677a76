# Sourced by the checks against Python's libraries: a virtual environment of the peers, made once.
#
#   peers_venv WHAT NAME "IMPORTS" "PACKAGES"    sets $python, or ends the script, saying why
skip() {
    echo "$what skipped: $1"
    exit 0
}

peers_venv() {
    what=$1
    venv="${XDG_CACHE_HOME:-$HOME/.cache}/fer-peers/$2"
    python=$venv/bin/python
    "$python" -c "import $3" 2>/dev/null && return
    command -v python3 >/dev/null || skip "python3 is not installed"
    python3 -m venv "$venv" 2>/dev/null || skip "python3 cannot make a virtual environment"
    # shellcheck disable=SC2086
    timeout 900 "$venv/bin/pip" install --quiet $4 ||
        skip "pip could not install $4 (is there a network?)"
}
