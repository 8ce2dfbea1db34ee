# SPDX-License-Identifier: MIT
# Help for tests that drive a program in a terminal of its own: a private tmux server of a fixed size, polling with deadlines,
# TAP on standard output. Source it; call `finish` at the end.
#   start W H COMMAND…   run COMMAND in a shell of a W x H terminal (TERM, LANG, … by env(1) in COMMAND); what it sends to the
#                        terminal is in $work/bytes, its exit status in $work/status
#   keys KEY…            send keys by tmux's names; `type TEXT` sends text as it is
#   sees NAME TEXT [S]   ok when TEXT is on the screen within S seconds
#   gone NAME TEXT [S]   ok when it is no longer there
#   is NAME COMMAND…     ok when COMMAND succeeds; soon S COMMAND… tries it again until S seconds have passed
#   scene FUNCTION       run FUNCTION beside the test, with a server and a folder ($work) of its own; `scenes` waits for them
#                        all and shows what they said
# Nothing waits for a time; bounds ($patience seconds) are wide, so that a busy machine or a sanitizer fails nothing.
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 2
root=$work/tree # commands reach the terminal's shell as one text: a path without spaces, wherever the source stands
ln -s "$(cd "$here/../.." && pwd)" "$root"
demo=$root/build/${MODE:-release}/tests/face_demo
hebb=$root/build/${MODE:-release}/hebb
socket=hebb-test-$$
sockets=$socket
n=0
pause=0.05 # between two looks
case ${MODE:-release} in asan) patience=60 ;; tsan) patience=120 ;; *) patience=20 ;; esac
unset TMUX NO_COLOR COLORTERM COLORFGBG HEBB_THEME ACCESSIBLE
export LC_ALL=C.UTF-8
# A program that has lost its screen trains on, as it should: it is ended here.
sweep() { for each in $sockets; do tmux -L "$each" kill-server 2>/dev/null; done; pkill -KILL -f "$work/" 2>/dev/null; rm -rf "$work"; }
trap sweep EXIT
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
        sleep "$pause"
    done
}

on_screen() { tm capture-pane -p 2>/dev/null | grep -qF -- "$1"; }
not_on_screen() { ! on_screen "$1"; }

start() { # W H COMMAND…
    w=$1 h=$2; shift 2
    tm kill-server 2>/dev/null
    soon "$patience" not_running
    rm -f "$work/before" "$work/after" "$work/status"
    printf '%s\n' 'trap : INT' "stty -g >'$work/before'" "$*" "echo \$? >'$work/status'" "stty -g >'$work/after'" "echo the shell again" \
        "cat >/dev/null" >"$work/script"
    soon "$patience" begun # a server that is about to end may still take the call
}

begun() { tm new-session -d -x "$w" -y "$h" "sh $work/script" \; pipe-pane "cat >'$work/bytes'" 2>/dev/null; }

not_running() { ! tm has-session 2>/dev/null; }
keys() { tm send-keys "$@"; }
type() { case $1 in *\;) tm send-keys -l -- "${1%;}\;" ;; *) tm send-keys -l -- "$1" ;; esac; } # tmux takes a last ; for its own
sees() { if soon "${3:-$patience}" on_screen "$2"; then ok "$1"; else not_ok "$1: \"$2\" is not on the screen"; fi; }
gone() { if soon "${3:-$patience}" not_on_screen "$2"; then ok "$1"; else not_ok "$1: \"$2\" is still on the screen"; fi; }

is() { # NAME COMMAND…
    name=$1; shift
    if "$@"; then ok "$name"; else not_ok "$name"; fi
}

program() { pgrep -n -P "$(tm display-message -p '#{pane_pid}')" 2>/dev/null; }
ended() { [ -s "$work/after" ]; }
restored() { soon "$patience" ended && cmp -s "$work/before" "$work/after"; }
status_is() { soon "$patience" test -s "$work/status" && [ "$(cat "$work/status")" -eq "$1" ]; }

scene() { # FUNCTION
    mkdir "$work/$1"
    sockets="$sockets $socket-$1"
    (
        work=$work/$1 socket=$socket-$1 sockets=$socket n=0 pause=0.1
        trap 'tmux -L "$socket" kill-server 2>/dev/null' EXIT
        "$1" >"$work/tap" 2>"$work/errors"
    ) &
}

scenes() {
    wait
    for said in "$work"/*/tap; do
        n=$((n + $(grep -c -e '^ok' -e '^not ok' "$said")))
        cat "$said"
        cat "${said%tap}errors" >&2
        rm "$said"
    done
}

finish() { echo "1..$n"; }
