# shellcheck shell=sh
# Sourced by the other scripts: finds Python 3.11 and keeps the virtual environment in .venv in step with a lock file.
# The environment is stamped with the lock's hash, so that the second time costs nothing.

fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

find_python() {  # sets $python
    for python in "${PYTHON:-}" python3.11 python3 python3.12 python3.13; do
        [ -n "$python" ] || continue
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
    done
    fail "Framerr needs Python 3.11 or newer and found none. On Debian 12 or Ubuntu 24.04:
    sudo apt-get install python3 python3-venv
Or name one: PYTHON=/path/to/python3.11 $0"
}

make_environment() {
    find_python
    echo "Making a virtual environment in .venv with $("$python" --version)"
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv module is missing. On Debian and Ubuntu it is a package of its own:
    sudo apt-get install python3-venv        (or python$version-venv)
Then run $0 again."
    "$python" -m venv --clear .venv || fail "The virtual environment .venv could not be made; the lines above say why."
    touch .venv/made
}

# prepare LOCK...: install these lock files unless this very content is installed already. The appliance's own lock is
# contained in the developers' lock.
prepare() {
    { [ -e .venv/made ] && .venv/bin/python -c 'import pip' 2>/dev/null; } || make_environment
    for lock in "$@"; do
        stamp=".venv/installed-$lock"
        if [ "$(cat "$stamp" 2>/dev/null)" = "$(sha256sum "$lock")" ]; then
            continue
        fi
        rm -f "$stamp"
        echo "Installing what $lock names (hashes are checked; about half a minute the first time)"
        .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --only-binary :all: --no-compile \
            -r "$lock" || fail "The packages could not be installed; the lines above say why. A network connection to the package index is needed once."
        sha256sum "$lock" > "$stamp"
    done
}
