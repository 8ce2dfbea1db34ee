#!/bin/sh
# Make the picture at the top of the README from the real screen: start the tour in a terminal of its own, wait until it has
# trained for some epochs, capture the screen, draw it as SVG.
# Usage: scripts/workshop/picture.sh [OUT.svg [COLUMNS ROWS [THEME]]]      needs tmux
set -eu
cd "$(dirname "$0")/../.."
out=${1:-scripts/workshop/dashboard.svg} columns=${2:-120} rows=${3:-38} theme=${4:-dark}
capture=$(mktemp) state=$(mktemp -d)
server="hebb-picture-$$"
trap 'tmux -L "$server" kill-server 2>/dev/null || true; rm -rf "$capture" "$state"' EXIT
tmux -L "$server" -f /dev/null new-session -d -x "$columns" -y "$rows" \
    "env XDG_STATE_HOME=$state COLORTERM=truecolor LANG=C.UTF-8 LC_ALL=C.UTF-8 build/hebb --seed 1 --theme $theme -i scripts/tour.lua"
n=0
until tmux -L "$server" capture-pane -p | grep -qE 'epoch +(9|1[0-4])/'; do
    n=$((n + 1))
    [ "$n" -lt 3000 ] || { echo "picture: the tour was not seen from its ninth epoch on in five minutes" >&2; exit 1; }
    sleep 0.1
done
tmux -L "$server" capture-pane -e -p >"$capture"
build/hebb scripts/workshop/picture.lua "$capture" "$out"
echo "$out"
