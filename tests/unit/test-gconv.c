/* SPDX-License-Identifier: MIT */
/* Character sets, their other names, and the modules that convert them. */
#include "text/gconv.h"

#include "base/alloc.h"
#include "base/attr.h"
#include "check.h"

static const char text[] = "#	from		to		module	cost\n"
			   "alias	LATIN1//	ISO-8859-1//\n"
			   "alias	L1//	LATIN1//\n"
			   "module	ISO-8859-1//	INTERNAL	ISO8859-1	1\n"
			   "module	INTERNAL	ISO-8859-1//	ISO8859-1	1\n"
			   "module	ISO-10646/UCS2/	EUC-KR//	UCS2_KR\n"
			   "alias	LOOP//	LOOP//\n"
			   "alias	HALF//\n"
			   "module	HALF//	INTERNAL\n"
			   "module	koi8-r//	INTERNAL	/opt/KOI-8.so";

static const struct {
	const char *charset, *want;
} rows[] = {
    {"iso-8859-1", "ISO8859-1"},
    {"Latin1//TRANSLIT", "ISO8859-1"},
    {"l1", "ISO8859-1"},
    {"KOI8-R", "/opt/KOI-8.so"},
    {"euc-kr", "UCS2_KR"},
    {"loop", ""},
    {"half", ""},
    {"INTERNAL", ""},
    {"", ""},
};

int main(void)
{
	struct gconv g CLEANUP_GCONV = GCONV_INIT;

	gconv_parse(text, strlen(text), &g);
	CHECK_INT(g.n, 8);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv got CLEANUP_STRV = STRV_INIT;
		gconv_modules(&g, rows[i].charset, &got);
		CHECK_INT(got.n, rows[i].want[0] != '\0');
		if (got.n)
			CHECK_STR(got.v[0], rows[i].want);
	}
	return check_done("gconv");
}
