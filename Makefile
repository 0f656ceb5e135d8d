# A thin front: meson does the work. README.md says what to type first.
PREFIX ?= /usr/local
DESTDIR ?=
B ?= build

.PHONY: all demo check bench recall install format clean

all: $(B)/build.ninja
	ninja -C $(B)

$(B)/build.ninja:
	tools/deps build
	meson setup --prefix=$(PREFIX) $(B)

# Grows, proves, runs and removes a jail for a real Apache.
demo:
	tools/deps build demo
	$(MAKE) all
	tools/demo $(B)/src/immure

# MORE=1 adds the stories that say "More:" at their top, the tests that begin with `takes_long`, and their packages.
check:
	tools/deps build check $(if $(MORE),more)
	$(MAKE) all
	MORE=$(MORE) tools/check $(B)

# Ratios against the native run, interleaved; see doc/BENCHMARKS.md.
bench:
	tools/deps build check
	$(MAKE) all
	tools/bench $(B)/src/immure

# How much of what the sessions of all stories used was foreseen, a line each service.
recall:
	tools/deps build check more
	$(MAKE) all
	MORE=1 tools/recall $(B)

install: all
	meson configure $(B) -Dprefix=$(PREFIX) >/dev/null
	DESTDIR=$(DESTDIR) meson install -C $(B)

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(B)
