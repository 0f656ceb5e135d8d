/* SPDX-License-Identifier: MIT */
/* Any bytes as a spec: no crash, no leak; what is accepted prints and reads back the same. */
#include <stdint.h>
#include <stdlib.h>

#include "spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand_all(const struct exec_list *list)
{
	static char one[] = "A=two words", two[] = "MAINPID=42";
	char *const env[] = {one, two, NULL};

	for (size_t i = 0; i < list->n; i++) {
		struct strv argv = STRV_INIT;
		exec_line_expand(&list->v[i], env, &argv);
		strv_done(&argv);
	}
}

static void check_round_trip(const struct spec *s)
{
	struct spec *again = spec_new("web");
	char *text = spec_print(s);

	if (spec_parse(again, text, strlen(text), "printed", NULL) < 0)
		abort();
	char *text_again = spec_print(again);
	if (!streq(text, text_again) || s->n_settings != again->n_settings)
		abort();
	free(text);
	free(text_again);
	spec_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec *s = spec_new("web");
	struct err e = {0};

	if (spec_parse(s, (const char *)data, size, "fuzz.conf", &e) == 0)
		check_round_trip(s);
	expand_all(&s->start);
	expand_all(&s->reload);
	spec_check(s, &e);
	spec_free(s);
	return 0;
}
