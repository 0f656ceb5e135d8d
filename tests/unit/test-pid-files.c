/* SPDX-License-Identifier: MIT */
/* Pid files: what a number is, and whose. */
#include "jail/pid-files.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "fs-scratch.h"
#include "keep/pid-file.h"

static const struct {
	const char *text;
	pid_t pid;
} words[] = {
    {"12\n", 12},     {"12", 12},     {"   12\n/var/lib/x\n", 12},
    {"12 nginx", 12}, {"", 0},	      {"\n12", 0},
    {"12a", 0},	      {"-1\n", 0},    {"a", 0},
    {"+3", 0},	      {"0\n", 0},     {"4194304\n", 4194304},
    {"12.5", 0},      {"12\r\n", 12}, {"99999999999999999999", 0},
};

/* This process stands for the init of a run, its child for the service: outside and inside are the
 * same. */
static void test_find(void)
{
	struct scratch s = scratch_new();
	struct record *record CLEANUP_RECORD = record_new();
	struct strv found CLEANUP_STRV = STRV_INIT;
	struct run r = RUN_INIT;
	char text[32];
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	r.init = getpid();
	pid_t inside = run_pid_inside(child);
	snprintf(text, sizeof(text), "%d\n", (int)inside);
	put_file(s.fd, "right", text);
	put_file(s.fd, "read", text);
	put_file(s.fd, "other", "1\n");
	CHECK_INT(symlinkat("right", s.fd, "link"), 0);
	static const char *const written[] = {"/right", "/other", "/link", "/none", "/proc/right"};
	for (size_t i = 0; i < ARRAY_LEN(written); i++)
		record_get(record, written[i])->kinds = TOUCH_WRITE;
	record_get(record, "/read")->kinds = TOUCH_READ;
	pid_files_find(record, s.fd, &r, &found);
	CHECK_INT(found.n, 1);
	CHECK_STR(found.n ? found.v[0] : NULL, "/right");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	scratch_done(&s);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		CHECK_INT(pid_file_parse(words[i].text, strlen(words[i].text)), words[i].pid);
	test_find();
	return check_done("pid-files");
}
