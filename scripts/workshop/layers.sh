#!/bin/sh
# Who may include whom: a folder of src/ includes only folders that stand before it in this list; curses and readline belong to
# ui, Lua to script and app, BLAS to tensor. Prints what departs, ends with status 1 then.
cd "$(dirname "$0")/../.." || exit 2
find src -name '*.[ch]' | LC_ALL=C sort | xargs awk '
BEGIN {
    n = split("base tensor formats autograd nn data train explain,compress,privacy,cluster,deploy script,ui app", level, " ")
    for (i = 1; i <= n; i++) { m = split(level[i], names, ","); for (j = 1; j <= m; j++) floor[names[j]] = i }
    own["ncurses.h"] = own["curses.h"] = own["term.h"] = "ui"; own["readline/readline.h"] = own["readline/history.h"] = "ui"
    own["lua.h"] = own["lauxlib.h"] = own["lualib.h"] = "script app"; own["cblas.h"] = "tensor base"
}
FNR == 1 { split(FILENAME, part, "/"); home = part[2]; lines = 0 }
{ if (FNR > 600 && !told[FILENAME]++) { print FILENAME ": more than 600 lines"; bad = 1 } }
/^[ \t]*#[ \t]*include[ \t]*"/ {
    target = $0; sub(/^[^"]*"/, "", target); sub(/".*/, "", target); split(target, to, "/")
    if (to[1] in floor && to[1] != home && floor[to[1]] >= floor[home]) {
        print FILENAME ":" FNR ": " home "/ may not include " target; bad = 1
    }
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    target = $0; sub(/^[^<]*</, "", target); sub(/>.*/, "", target)
    if (target in own && index(" " own[target] " ", " " home " ") == 0) { print FILENAME ":" FNR ": <" target "> belongs to " own[target]; bad = 1 }
}
END { if (!bad) print "layers: in order"; exit bad }'
