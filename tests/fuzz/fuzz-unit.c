/* SPDX-License-Identifier: MIT */
/* Any bytes as a unit file: each directive is noted, and what was taken makes a valid spec. */
#include <stdint.h>
#include <stdlib.h>

#include "spec/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec *s = spec_new("web"), *again = spec_new("web");
	struct unit_report report = {0};
	struct err e = {0};
	char *text;

	unit_parse((const char *)data, size, "/etc/fuzz.service", "fuzz-x@a-b\\x2d%t.service", s,
		   &report, &e);
	text = spec_print(s);
	if (spec_parse(again, text, strlen(text), "printed", &e) < 0)
		abort();
	for (size_t i = 0; i < report.n; i++)
		if ((report.v[i].verdict == UNIT_TAKEN) != !report.v[i].why)
			abort();
	free(text);
	spec_free(again);
	spec_free(s);
	unit_report_done(&report);
	return 0;
}
