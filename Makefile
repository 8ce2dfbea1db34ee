# hebb: a terminal laboratory for neural networks.
#
#   make run      install what is missing, build, start the tour          make help   all targets
#
# Settings (give them on the command line; each MODE builds in a folder of its own):
MODE   ?= release#   release | debug | asan | tsan | f64 (and fuzz, which make fuzz sets)
PREFIX ?= /usr/local
DESTDIR ?=
NATIVE ?=#           1: for this processor only
V      ?=#           1: show the commands
WERROR ?=#           1: warnings are errors (CI)
CC     := $(if $(filter default,$(origin CC)),$(firstword $(foreach c,gcc clang,$(shell command -v $(c) >/dev/null 2>&1 && echo $(c))) cc),$(CC))

# ---- nothing to change below ----
# run and test build with a job for each processor, unless a -j was given.
JOBS    = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2))
.DEFAULT_GOAL := all
.SUFFIXES:
VERSION := 0.1.0
MODE    := $(strip $(MODE))
B       := build/$(MODE)
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

# Homebrew keeps libraries that macOS has too out of pkg-config's way.
BREW    := $(if $(filter Darwin,$(shell uname -s)),$(shell brew --prefix 2>/dev/null))
PC_PATH := $(if $(BREW),$(foreach p,openblas readline ncurses lua@5.4 zlib xz jansson cmocka,$(BREW)/opt/$(p)/lib/pkgconfig:))
export PKG_CONFIG_PATH := $(subst : ,:,$(PC_PATH))$(PKG_CONFIG_PATH)
pc       = $(shell PKG_CONFIG_PATH='$(PKG_CONFIG_PATH)' pkg-config $(1) 2>/dev/null)
LUA_PC  := $(firstword $(foreach p,lua5.4 lua-5.4 lua54 lua,$(if $(call pc,--libs '$(p) >= 5.4 $(p) < 5.5'),$(p))))
LIBS_PC := openblas ncursesw readline $(LUA_PC) zlib liblzma jansson

flags_release :=
flags_debug   := -O0 -DHEBB_DEBUG
flags_asan    := -O1 -DHEBB_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
flags_tsan    := -O1 -DHEBB_DEBUG -DHEBB_NO_CLONES -fsanitize=thread
flags_f64     := -DHEBB_F64
flags_fuzz    := -O1 -w -DHEBB_DEBUG -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
flags_mode    := $(flags_$(MODE))
ifeq ($(filter $(MODE),release debug asan tsan f64 fuzz),)
$(error MODE is one of release debug asan tsan f64, not "$(MODE)")
endif

WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wdouble-promotion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings
ifeq ($(MODE),f64)
WARN   := $(filter-out -Wdouble-promotion,$(WARN))
endif
BASE   := -std=gnu11 -O2 -g $(WARN) $(if $(WERROR),-Werror) -D_POSIX_C_SOURCE=200809L -Isrc -I$(B) -pthread -MMD -MP \
          -DHEBB_VERSION='"$(VERSION)"' $(if $(NATIVE),-march=native) $(flags_mode)
KERNEL := $(if $(filter release f64,$(MODE)),-O3) -fno-math-errno -fno-trapping-math -ffp-contract=fast -Wno-unknown-pragmas
cflags_base     := $(call pc,--cflags openblas)
cflags_tensor   := $(KERNEL) $(call pc,--cflags openblas)
cflags_autograd := $(KERNEL)
cflags_formats  := $(call pc,--cflags zlib liblzma jansson)
cflags_data     := $(call pc,--cflags jansson)
cflags_nn       := $(call pc,--cflags jansson)
cflags_train    := $(KERNEL) $(call pc,--cflags jansson)
cflags_script   := $(call pc,--cflags $(LUA_PC))
cflags_ui       := $(call pc,--cflags ncursesw readline)
cflags_app      := $(call pc,--cflags $(LUA_PC) zlib liblzma jansson)
LDLIBS := $(call pc,--libs $(LIBS_PC)) -lm

SRC    := $(filter-out src/app/main.c,$(shell find src -name '*.c' | LC_ALL=C sort))
ifeq ($(MODE),fuzz)
SRC    := $(filter src/base/% src/tensor/% src/formats/% src/autograd/% src/nn/% src/data/%,$(SRC))
endif
OBJ    := $(SRC:src/%.c=$(B)/%.o)
LIB    := $(B)/libhebb.a
BIN    := $(B)/hebb

# Folders of siblings: one file, one descriptor. gen/<name>.h holds one line ROW(file) for each file of the folder.
KINDS  := autograd/ops autograd/activations nn/layers nn/initializers nn/regularizers nn/constraints train/losses train/metrics train/optimizers train/schedules train/callbacks data/sets data/tokenizers ui/dashboard
GENS   := $(foreach k,$(KINDS),$(B)/gen/$(notdir $(k)).h)
PRELUDE := $(sort $(wildcard src/script/lib/*.lua))
GENLUA := $(B)/gen/prelude.h
GENDARK := $(B)/gen/dark.h

all: $(if $(wildcard src/app/main.c),$(BIN),$(LIB)) ## build build/hebb
	@[ "$(MODE)" != release ] || ln -sfn release/hebb build/hebb

$(BIN): $(B)/app/main.o $(LIB)
	$(call say,link,$@)$(CC) $(flags_mode) -pthread -o $@ $^ $(LDLIBS)

$(LIB): $(OBJ)
	$(call say,archive,$@)rm -f $@ && ar rcs $@ $(OBJ)

$(B)/%.o: src/%.c $(B)/flags $(GENS) $(GENLUA) $(GENDARK)
	@mkdir -p $(@D)
	$(call say,cc,$<)$(CC) $(BASE) $(cflags_$(word 2,$(subst /, ,$<))) $(WHERE) -c -o $@ $<

# A change of compiler or flags rebuilds all, another PREFIX the one file that knows where installed things stand.
$(B)/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(subst ','"'"',$(BASE))' | cmp -s - $@ || echo '$(CC) $(subst ','"'"',$(BASE))' > $@
$(B)/prefix: FORCE
	@mkdir -p $(@D); echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' > $@
$(B)/base/file.o: $(B)/prefix
$(B)/base/file.o: WHERE = -DHEBB_DATADIR='"$(PREFIX)/share/hebb"'

# Only a changed listing touches the list. Activations are ops too, in a folder of their own since layers find them by name.
more_ops := src/autograd/activations/*.c
define gen_list
$(B)/gen/$(notdir $(1)).h: FORCE
	@mkdir -p $$(@D); ls src/$(1)/*.c $(more_$(notdir $(1))) 2>/dev/null | sed 's,.*/,,; s,\.c$$$$,,' | LC_ALL=C sort | sed 's/.*/ROW(&)/' > $$@.new; \
	 if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi
endef
$(foreach k,$(KINDS),$(eval $(call gen_list,$(k))))

# The standard library written in Lua, compiled in: ROW(name, "text")
$(GENLUA): $(PRELUDE) Makefile
	@mkdir -p $(@D); for f in $(PRELUDE); do n=$${f##*/}; echo "ROW($${n%.lua},"; \
	 sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $$f; echo ")"; done > $@

# The built-in theme as one text literal.
$(GENDARK): themes/dark.theme
	@mkdir -p $(@D); sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $< > $@

-include $(OBJ:.o=.d) $(B)/app/main.d

# ---- tests ----
UNIT   := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c tests/grad/test_*.c))
UNIT   := $(patsubst tests/grad/%.c,$(B)/tests/%,$(UNIT))
TESTLIB := $(wildcard tests/lib/*.c)
TFLAGS  = $(filter-out -Wpedantic -Wmissing-prototypes -Wdouble-promotion,$(BASE)) -Itests/lib $(call pc,--cflags cmocka openblas ncursesw readline $(LUA_PC) zlib liblzma jansson)

$(B)/tests/%: tests/unit/%.c $(LIB) $(TESTLIB)
	@mkdir -p $(@D)
	$(call say,test,$<)$(CC) $(TFLAGS) -o $@ $< $(TESTLIB) $(LIB) $(LDLIBS) $(call pc,--libs cmocka)
$(B)/tests/%: tests/grad/%.c $(LIB) $(TESTLIB)
	@mkdir -p $(@D)
	$(call say,test,$<)$(CC) $(TFLAGS) -o $@ $< $(TESTLIB) $(LIB) $(LDLIBS) $(call pc,--libs cmocka)
-include $(UNIT:%=%.d)

# Every reader of files has a fuzz target. check replays the corpus through it; MODE=fuzz builds it for libFuzzer (clang).
FUZZ   := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY := $(FUZZ:%=$(B)/tests/test_fuzz_%)
FUZZERS := $(FUZZ:%=$(B)/fuzz_%)
$(B)/tests/test_fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c tests/fuzz/fuzz.h $(LIB)
	@mkdir -p $(@D)
	$(call say,test,$<)$(CC) $(filter-out -MMD -MP,$(TFLAGS)) -D_DEFAULT_SOURCE -DFUZZ_NAME='"$*"' -o $@ $< tests/fuzz/replay.c $(LIB) $(LDLIBS)
$(B)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(LIB)
	$(call say,fuzz,$<)$(CC) $(filter-out -MMD -MP,$(TFLAGS)) -fsanitize=fuzzer -o $@ $< $(LIB) $(LDLIBS)
fuzzers: $(FUZZERS)

# The dashboard alone, for tests in a terminal; its runs are its own and stand before the library's.
$(B)/tests/face_demo: tests/screen/face_demo.c $(LIB) $(TESTLIB)
	@mkdir -p $(@D)
	$(call say,test,$<)$(CC) $(TFLAGS) -Wl,--allow-multiple-definition -o $@ $< $(TESTLIB) $(LIB) $(LDLIBS) $(call pc,--libs cmocka)
-include $(B)/tests/face_demo.d

# ONLY='part part': tests whose names have one of these parts.
WANTED := $(if $(ONLY),$(foreach u,$(UNIT) $(REPLAY),$(if $(strip $(foreach o,$(ONLY),$(findstring $(o),$(u)))),$(u))),$(UNIT) $(REPLAY))
tests: all $(WANTED) $(B)/tests/face_demo

check: tests ## run the tests of this MODE (nothing is installed)
	@MODE=$(MODE) tests/run.sh $(ONLY)

test: ## install what is missing, build, run every test
	@scripts/workshop/setup.sh test
	@$(MAKE) --no-print-directory $(JOBS) check

asan: ## the tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory check MODE=asan
tsan: ## the tests under the thread sanitizer
	@$(MAKE) --no-print-directory check MODE=tsan
f64: ## the tests in double precision, gradients to 1e-6
	@$(MAKE) --no-print-directory check MODE=f64

SECONDS ?= 60
fuzz: ## fuzz every reader of files for SECONDS=60 each (clang; without it the corpus is replayed); ONLY='csv npy'
	@if command -v clang >/dev/null && echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p == 0 && n; }' | \
	   clang -x c -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null; then \
	   $(MAKE) --no-print-directory MODE=fuzz CC=clang fuzzers && tests/fuzz/run.sh $(SECONDS) $(ONLY); \
	 else echo "fuzz: no clang with libFuzzer here: replaying the corpus"; $(MAKE) --no-print-directory check MODE=asan ONLY=test_fuzz; fi

bench: all ## time the benchmark workloads, beside PyTorch where PYTHON=python3 has it
	@build/hebb scripts/workshop/bench.lua $(NAMES)
bench-check: all ## which workload became slower than scripts/workshop/bench-reference.lua tells
	@build/hebb scripts/workshop/bench.lua --check --no-compile $(NAMES)

lint: ## who includes whom, then what clang-tidy finds where it is installed
	@scripts/workshop/layers.sh
	@if command -v clang-tidy >/dev/null; then $(MAKE) --no-print-directory $(B)/compile_commands.json && \
	 clang-tidy -p $(B) --quiet $(SRC) 2>/dev/null; else echo "lint: no clang-tidy here"; fi

format: ## lay out the lines changed since the last commit by .clang-format (tables that are laid out by hand stay as they are)
	git clang-format --extensions c,h HEAD

install: all ## copy program, themes, scripts and data under DESTDIR and PREFIX
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/hebb'
	install -m 755 $(BIN) '$(DESTDIR)$(PREFIX)/bin/hebb'
	for d in themes scripts data; do cp -R $$d '$(DESTDIR)$(PREFIX)/share/hebb/' || exit 1; done
	rm -rf '$(DESTDIR)$(PREFIX)/share/hebb/scripts/workshop'

uninstall: ## remove what install put there
	rm -f '$(DESTDIR)$(PREFIX)/bin/hebb'
	rm -rf '$(DESTDIR)$(PREFIX)/share/hebb'

dist: ## build/hebb-VERSION.tar.gz from the last commit
	@git rev-parse -q --verify HEAD >/dev/null 2>&1 || { echo "dist: packs the last commit, and this folder is not a git repository" >&2; exit 1; }
	@mkdir -p build; git archive --prefix=hebb-$(VERSION)/ -o build/hebb-$(VERSION).tar.gz HEAD && echo build/hebb-$(VERSION).tar.gz

# For editors (clangd looks into build/ by itself).
compile_commands: build/compile_commands.json ## the compilation database, build/compile_commands.json
quoted = $(subst ",\",$(subst \,\\,$(1)))
room   = $(word 2,$(subst /, ,$(1)))
build/compile_commands.json $(B)/compile_commands.json: $(B)/flags
	$(file >$@,[)$(foreach f,$(SRC),$(file >>$@,{"directory": "$(CURDIR)", "file": "$(f)", "command": "$(call quoted,$(CC) $(BASE) $(cflags_$(call room,$(f)))) -c $(f)"},))
	$(file >>$@,{"directory": "$(CURDIR)", "file": "src/app/main.c", "command": "$(call quoted,$(CC) $(BASE) $(cflags_app)) -c src/app/main.c"}])
	@echo $@

setup: ## install the packages that are missing, by name
	@scripts/workshop/setup.sh test

run: ## install what is missing, build, start the tour
	@scripts/workshop/setup.sh run
	@$(MAKE) --no-print-directory $(JOBS) all
	@build/hebb -i scripts/tour.lua

clean: ## remove build/
	rm -rf build

help: ## this list
	@grep -hE '^[a-z0-9_ -]+:.*## ' Makefile | sed -E 's/^([a-z0-9_ -]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

FORCE:
.PHONY: all fuzz fuzzers tests check test asan tsan f64 bench bench-check lint format install uninstall dist compile_commands setup run clean help FORCE
