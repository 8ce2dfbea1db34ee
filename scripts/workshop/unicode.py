#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write src/base/unitab.h from Python's copy of the Unicode Character Database.

    python3 scripts/workshop/unicode.py > src/base/unitab.h

Runs of code points by general category; simple lower case as runs; canonical decompositions with the marks (Mn) left out,
which is what stripping accents leaves. Hangul syllables are computed, not listed.
"""
import sys
import unicodedata as ud

MOST = 0x110000


def runs(wanted):
    out, first = [], None
    for code in range(MOST + 1):
        inside = code < MOST and wanted(code)
        if inside and first is None:
            first = code
        if not inside and first is not None:
            out.append((first, code - 1))
            first = None
    return out


def table(kind, name, rows):
    print(f"static const {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        text = " {" + ",".join(str(v) if i == len(row) - 1 and kind == "CaseRun" else hex(v) for i, v in enumerate(row)) + "},"
        if len(line) + len(text) > 130:
            print(line)
            line = "   "
        line += text
    print(line)
    print("};")


def lower_runs():
    pairs = [(c, ord(chr(c).lower()) - c) for c in range(MOST) if len(chr(c).lower()) == 1 and chr(c).lower() != chr(c)]
    out = []
    for code, delta in pairs:  # [first, last, step, delta]
        if out and out[-1][3] == delta:
            first, last, step, _ = out[-1]
            gap = code - last
            if gap in (1, 2) and (first == last or gap == step):
                out[-1] = [first, code, gap, delta]
                continue
        out.append([code, code, 1, delta])
    return out


def bare(code):
    text = ud.normalize("NFD", chr(code))
    return [ord(c) for c in text if ud.category(c) != "Mn"]


def bare_rows():
    out = []
    for code in range(MOST):
        if 0xAC00 <= code <= 0xD7A3 or ud.category(chr(code)) == "Mn":
            continue
        left = bare(code)
        if left != [code]:
            assert len(left) <= 3 and left, hex(code)
            out.append([code] + left + [0] * (3 - len(left) if len(left) > 1 else 0))
    return out


print("// SPDX-License-Identifier: MIT")
print(f"/* Made by scripts/workshop/unicode.py from the Unicode Character Database {ud.unidata_version}. Included by unicode.c alone. */")
for name, prefixes in (("letters", ("L",)), ("numbers", ("N",)), ("punctuation", ("P",)), ("marks", ("Mn",)), ("controls", ("Cc", "Cf"))):
    table("CodeRun", name, runs(lambda c: not 0xD800 <= c < 0xE000 and ud.category(chr(c)).startswith(prefixes)))
table("CaseRun", "lower", lower_runs())
table("CodePair", "bare", [row for row in bare_rows() if len(row) == 2])
table("BareRow", "bare_long", [row for row in bare_rows() if len(row) > 2])
sys.stdout.flush()
