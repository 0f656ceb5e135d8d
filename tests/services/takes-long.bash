# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# takes_long: at the top of a test that only `make check MORE=1` has; others show nearly as much.
takes_long() { [[ -n ${MORE:-} ]] || skip "with MORE=1"; }
