# SPDX-License-Identifier: MIT
# Help for tests that drive a program in a terminal of its own: a private tmux server of a fixed size, polling with deadlines,
# TAP on standard output. Source it; call `finish` at the end.
#   start W H COMMAND…   run COMMAND in a shell of a W x H terminal (TERM, LANG, … by env(1) in COMMAND)
#   keys KEY…            send keys by tmux's names; `type TEXT` sends text as it is
#   sees NAME TEXT [S]   ok when TEXT is on the screen within S (10) seconds
#   gone NAME TEXT [S]   ok when it is no longer there
#   is NAME COMMAND…     ok when COMMAND succeeds; soon S COMMAND… tries it again until S seconds have passed
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
demo=$root/build/${MODE:-release}/tests/face_demo
work=$(mktemp -d) || exit 2
socket=hebb-test-$$
n=0
unset TMUX NO_COLOR COLORTERM COLORFGBG HEBB_THEME ACCESSIBLE
export LC_ALL=C.UTF-8
trap 'tmux -L "$socket" kill-server 2>/dev/null; rm -rf "$work"' EXIT
if ! command -v tmux >/dev/null; then echo "ok 1 - $0 # SKIP no tmux here"; exit 0; fi

tm() { tmux -u -L "$socket" -f /dev/null "$@"; }

ok() { n=$((n + 1)); echo "ok $n - $1"; }

not_ok() {
    n=$((n + 1))
    echo "not ok $n - $1"
    tm capture-pane -p 2>/dev/null | sed 's/^/#   /'
}

soon() { # SECONDS COMMAND…
    deadline=$(($(date +%s) + $1 + 1)); shift
    until "$@"; do
        [ "$(date +%s)" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

on_screen() { tm capture-pane -p 2>/dev/null | grep -qF -- "$1"; }
not_on_screen() { ! on_screen "$1"; }

start() { # W H COMMAND…
    w=$1 h=$2; shift 2
    tm kill-server 2>/dev/null
    soon 5 not_running
    rm -f "$work/before" "$work/after" "$work/status"
    printf '%s\n' "stty -g >'$work/before'" "$*" "echo \$? >'$work/status'" "stty -g >'$work/after'" "echo the shell again" \
        "cat >/dev/null" >"$work/script"
    tm new-session -d -x "$w" -y "$h" "sh $work/script"
}

not_running() { ! tm has-session 2>/dev/null; }
keys() { tm send-keys "$@"; }
type() { tm send-keys -l -- "$1"; }
sees() { if soon "${3:-10}" on_screen "$2"; then ok "$1"; else not_ok "$1: \"$2\" is not on the screen"; fi; }
gone() { if soon "${3:-10}" not_on_screen "$2"; then ok "$1"; else not_ok "$1: \"$2\" is still on the screen"; fi; }

is() { # NAME COMMAND…
    name=$1; shift
    if "$@"; then ok "$name"; else not_ok "$name"; fi
}

program() { pgrep -n -P "$(tm display-message -p '#{pane_pid}')" 2>/dev/null; }
ended() { [ -s "$work/after" ]; }
restored() { soon 10 ended && cmp -s "$work/before" "$work/after"; }
status_is() { soon 10 test -s "$work/status" && [ "$(cat "$work/status")" -eq "$1" ]; }
finish() { echo "1..$n"; }
