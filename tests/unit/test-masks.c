/* SPDX-License-Identifier: MIT */
/* Which files are covered, on a host of the test's own. */
#include "jail/masks.h"

#include "base/alloc.h"
#include "fs-scratch.h"

#define KEY "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n"

static const struct {
	const char *path, *text; /* text "-> x" is a link */
	bool masked;
} files[] = {
    {"etc/web/keys/own.key", KEY, false},     /* in the manifest: a run read it */
    {"etc/web/keys/named.key", KEY, false},   /* Secret= */
    {"etc/web/keys/renewed.key", KEY, false}, /* where a link leads that a run followed */
    {"etc/web/live.key", "-> keys/renewed.key", false},
    {"etc/web/other.key", "-> keys/others.key",
     false}, /* a link is no key, and this one not ours */
    {"etc/web/keys/others.key", KEY, true},
    {"etc/web/keys/openssh", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", true},
    {"etc/web/keys/store.p12", "\x30\x82", true},
    {"etc/web/keys/empty.p12", "", false},
    {"etc/web/keys/.p12", "x", true},
    {"etc/web/keys/a.crt", "-----BEGIN CERTIFICATE-----\nMIGH\n", false},
    {"etc/web/passwords", "admin:$apr1$x$y\n", true},
    {"etc/web/hidden.conf", "colour = green\n", false}, /* mode 0600, and no key */
    {"etc/web/whole/a", KEY, false},			/* in a directory that Secret= names */
    {"etc/written/key", KEY, true},
    {"srv/conf/key", KEY, true},
    {"srv/site/key", KEY, false}, /* content is the user's to arrange */
    {"etc/nobody/key", KEY, false},
    {"etc/web/site.conf",
     "key /etc/web/keys/absolute.key;\n key = \"keys/relative.key\"\n# keys/comment.key\n"
     "keys/longer.key2 keys/front.keys mykeys/middle.key\nlive live/cert.pem",
     false},
    {"etc/web/keys/absolute.key", KEY, false},
    {"etc/web/keys/relative.key", KEY, false},
    {"etc/web/keys/comment.key", KEY, true},
    {"etc/web/keys/longer.key", KEY, true},
    {"etc/web/keys/front.key", KEY, true},
    {"etc/web/keys/middle.key", KEY, true},
    {"etc/web/live/cert.pem", "-> ../keys/cert7.pem", false},
    {"etc/web/keys/cert7.pem", KEY, false}, /* by the link that is named */
    {"etc/web/keys/cert6.pem", KEY, true},
    {"etc/mail.conf", "tls_key = /etc/web/keys/mail.key", false},
    {"etc/web/keys/mail.key", KEY, false}, /* by a file that is copied */
};

static struct layout make_layout(void)
{
	static char web[] = "/etc/web", written[] = "/etc/written", conf[] = "/srv/conf",
		    site[] = "/srv/site";
	static struct provision v[] = {
	    {.path = web, .class = CLASS_CONFIG},
	    {.path = written, .class = CLASS_STATE, .writable = true},
	    {.path = conf, .class = CLASS_CONFIG},
	    {.path = site, .class = CLASS_CONTENT},
	};
	struct layout l = {.v = v, .n = ARRAY_LEN(v)};

	layout_own(&l, "/etc/web/keys/named.key");
	layout_own(&l, "/etc/web/live.key");
	layout_own(&l, "/etc/web/whole");
	layout_own(&l, "/etc/web/gone");
	return l;
}

static void put(int root, const char *path, const char *text)
{
	CLEANUP_STR char *dir = xstrdup(path);
	const char *target = str_after(text, "-> ");

	*strrchr(dir, '/') = '\0';
	CHECK_INT(beneath_mkdirs(root, dir, 0755), 0);
	if (target)
		CHECK_INT(symlinkat(target, root, path), 0);
	else
		put_file(root, path, text);
	if (!target)
		CHECK_INT(fchmodat(root, path, 0600, 0), 0);
}

int main(void)
{
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct strv got CLEANUP_STRV = STRV_INIT;
	struct layout l = make_layout();
	struct scratch s = scratch_new();
	size_t want = 0;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		put(s.fd, files[i].path, files[i].text);
	manifest_add(&m, "/etc/web")->mode = S_IFDIR;
	manifest_add(&m, "/etc/web/keys/own.key")->mode = S_IFREG;
	struct entry *copied = manifest_add(&m, "/etc/mail.conf");
	copied->mode = S_IFREG;
	copied->class = CLASS_CONFIG;
	manifest_sort(&m);
	masks_find(&l, &m, s.fd, &got);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP_STR char *path = xasprintf("/%s", files[i].path);
		int before = check_failed;
		CHECK_INT(strv_has(&got, path), files[i].masked);
		want += files[i].masked;
		if (check_failed != before)
			printf("# %s\n", path);
	}
	CHECK_INT(got.n, want);
	layout_done(&(struct layout){.own = l.own});
	scratch_done(&s);
	return check_done("masks");
}
