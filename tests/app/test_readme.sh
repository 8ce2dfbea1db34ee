#!/bin/sh
# The README: the first session runs as it stands, and every file that it names is there. TAP.
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
readme=$HEBB_HOME/README.md
n=0
ok() { n=$((n + 1)); echo "ok $n - $1"; }
no() { n=$((n + 1)); echo "not ok $n - $1"; sed 's/^/# /' "$tmp/log" 2>/dev/null | head -n 20; }

sed -n 's/^    > //p' "$readme" >"$tmp/session.lua"
echo 'print(run.status, #run.history.loss > 1) run:stop()' >>"$tmp/session.lua"
(cd "$tmp" && "$HEBB" --seed 1 session.lua) >"$tmp/log" 2>&1
status=$?
if [ "$status" -eq 0 ] && grep -q '^paused.*true' "$tmp/log" && [ -s "$tmp/digits.safetensors" ]; then ok "the first session runs"
else no "the first session runs (status $status)"; fi

# "3. `autograd/` — `op.h`: …": what stands in backquotes and has a dot or ends with a slash is a file or folder of that room.
sed -n 's/^[0-9]*\. `\([a-z]*\)\/`/\1 &/p' "$readme" | while read -r room rest; do
    printf '%s\n' "$rest" | grep -o '`[^`]*`' | tr -d '`' | grep -E '^[a-z_/0-9]+(\.[ch]|/)$' | while read -r name; do
        [ "$name" = "$room/" ] || [ -e "$HEBB_HOME/src/$room/$name" ] || echo "src/$room/$name"
        echo "$name" >>"$tmp/named"
    done
done >"$tmp/log"
grep -o '](\([^)]*\))' "$readme" | sed 's/^](//; s/)$//' | while read -r link; do [ -e "$HEBB_HOME/$link" ] || echo "$link"; done >>"$tmp/log"
if [ ! -s "$tmp/log" ] && [ "$(wc -l <"$tmp/named")" -gt 20 ]; then ok "every file that it names is there"; else no "every file that it names is there"; fi
echo "1..$n"
