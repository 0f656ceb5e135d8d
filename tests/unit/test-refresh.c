/* SPDX-License-Identifier: MIT */
/* What a reload takes over from the host into a generation: its files are this test's own, below
 * /etc of the host only as copies of what stands there. */
#include "jail/refresh.h"

#include "base/alloc.h"
#include "fs-scratch.h"

#define FILE_A "/tmp/immure-unit-refresh.a"
#define FILE_B "/tmp/immure-unit-refresh.b"
#define LINK   "/tmp/immure-unit-refresh.link"
#define GONE   "/tmp/immure-unit-refresh.gone"

static void host_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void add(struct manifest *m, const char *path, enum jail_class class, mode_t type)
{
	struct entry *en = manifest_add(m, path);

	en->mode = type | 0644;
	en->class = class;
	en->provided = PROVIDED_COPY;
	if (type == S_IFLNK)
		en->link = xstrdup(FILE_A);
	if (type == S_IFREG)
		en->sha256 = xstrdup("0");
	entry_add_reason(en, REASON_SPEC, NULL, "test");
}

static void check_text(int root, const char *path, const char *want)
{
	int fd = beneath_open(root, path, O_RDONLY, 0);
	char buf[64] = "";

	CHECK(fd >= 0 && read(fd, buf, sizeof(buf) - 1) >= 0);
	CHECK_STR(buf, want);
	close(fd);
}

int main(void)
{
	struct scratch s = scratch_new();
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT, after CLEANUP_MANIFEST = MANIFEST_INIT;
	struct strv renewed CLEANUP_STRV = STRV_INIT, gone CLEANUP_STRV = STRV_INIT;
	struct err e = {0};

	g.dir = xstrdup(s.path);
	CHECK_INT(mkdirat(s.fd, "root", 0755), 0);
	CHECK_INT(mkdirat(s.fd, "root/tmp", 0755), 0);
	put_file(s.fd, "root" FILE_A, "old");
	put_file(s.fd, "root" GONE, "kept");
	CHECK_INT(symlinkat(FILE_A, s.fd, "root" LINK), 0);
	host_file(FILE_A, "new");
	host_file(FILE_B, "renewed");
	CHECK_INT(symlink(FILE_B, LINK), 0);
	add(&m, FILE_A, CLASS_CONFIG, S_IFREG);
	add(&m, GONE, CLASS_SECRET, S_IFREG);
	add(&m, LINK, CLASS_CONFIG, S_IFLNK);
	manifest_sort(&m);
	CHECK_INT(manifest_save(&m, s.fd, &e), 0);

	CHECK_INT(refresh_config(&g, &renewed, &gone, &e), 0);
	CHECK_INT(renewed.n, 2);
	CHECK_INT(gone.n, 1);
	int root = openat(s.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	check_text(root, FILE_A, "new");
	check_text(root, GONE, "kept");
	check_text(root, LINK, "renewed");
	CHECK_INT(manifest_load(s.path, &after, &e), 0);
	const struct entry *en = manifest_find(&after, FILE_A);
	CHECK(en && en->size == 3 && (en->mode & 07777) == 0640);
	CHECK(manifest_find(&after, FILE_B) != NULL);

	/* Nothing is left to do. */
	size_t n = renewed.n;
	CHECK_INT(refresh_config(&g, &renewed, &gone, &e), 0);
	CHECK_INT(renewed.n, n);
	close(root);
	unlink(FILE_A);
	unlink(FILE_B);
	unlink(LINK);
	scratch_done(&s);
	return check_done("refresh");
}
