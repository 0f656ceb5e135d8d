/* SPDX-License-Identifier: MIT */
/* Certificates and authentication: where lists of files do not say it all. */
#include <fcntl.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "foresee/families-parts.h"
#include "fs/beneath.h"
#include "host/host.h"
#include "text/tokens.h"

#define PLUGINS_MAX	256
#define CONF_TOKENS_MAX 4096
#define SYSTEM_CONF	"/etc/ssl/openssl.cnf"

#define LIBCRYPTO NAMES("libcrypto.so.3", "libcrypto.so.1.1")

/* OpenSSL's own directory is the one its default certificate file stands in: "/usr/lib/ssl". */
static void find_defaults(struct families *f, const struct met *m, struct strv *ret)
{
	part_compiled(f, m, LIBCRYPTO, "*/cert.pem", NULL, ret);
}

/* What the configuration has libcrypto load: "module = /x.so", "dynamic_path = /x.so", and engines
 * that it only names, which stand in the directory of engines. */
static void take_configured(struct families *f, const struct met *m, const char *conf)
{
	struct strv engines CLEANUP_STRV = STRV_INIT;
	struct tokens t CLEANUP_TOKENS = TOKENS_INIT;
	CLEANUP_STR char *path = NULL;
	CLEANUP_STR char *text = part_read(f, conf, &path);

	if (!text)
		return;
	tokens_read(text, strlen(text), CONF_TOKENS_MAX, &t);
	part_compiled(f, m, LIBCRYPTO, "*/engines-*", "engines-3", &engines);
	for (size_t i = 0; i < t.n; i++) {
		const struct token *token = &t.v[i];
		bool engine = token->kind == TOKEN_WORD && streq(token->key, "engine_id");
		CLEANUP_STR char *so = xasprintf("%s.so", token->text);
		bool loaded = str_ends(token->text, ".so") || str_ends(token->text, ".cnf");
		if (token->kind == TOKEN_PATH && loaded && part_is_file(f, token->text))
			part_take_for(f, m, path, token->text, "%s:%u names it", path, token->line);
		for (size_t k = 0; engine && k < engines.n; k++) {
			CLEANUP_STR char *module = path_join(engines.v[k], so);
			part_take_for(f, m, path, module, "%s:%u names it", path, token->line);
		}
	}
}

void family_openssl_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	struct strv files CLEANUP_STRV = STRV_INIT;

	(void)o;
	find_defaults(f, m, &files);
	for (size_t i = 0; i < files.n; i++) {
		CLEANUP_STR char *dir = path_parent(files.v[i]);
		CLEANUP_STR char *conf = path_join(dir, "openssl.cnf");
		part_take(f, m, conf);
		take_configured(f, m, conf);
	}
	part_take(f, m, SYSTEM_CONF);
	take_configured(f, m, SYSTEM_CONF);
	if (part_env(f, "OPENSSL_CONF"))
		take_configured(f, m, part_env(f, "OPENSSL_CONF"));
}

/* Links named by the hash of a certificate: "4f316efb.0" (openssl-rehash(1)). */
static void take_hashed(struct families *f, const struct met *m, const char *dir)
{
	CLEANUP_STR char *pattern = path_join(
	    dir, "[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f].*[0-9]");
	part_take(f, m, pattern);
}

/* The bundle holds what the hashed directory holds: that one only where there is no bundle, or
 * where the environment asks for it. */
void family_trust_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	static const char *const bundles[] = {
	    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
	    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"};
	struct strv files CLEANUP_STRV = STRV_INIT;
	const char *named = part_env(f, "SSL_CERT_DIR");
	bool bundle = false;

	(void)o;
	find_defaults(f, m, &files);
	for (size_t i = 0; i < files.n; i++)
		bundle |= part_take(f, m, files.v[i]) != NULL;
	for (size_t i = 0; i < ARRAY_LEN(bundles); i++)
		bundle |= part_take(f, m, bundles[i]) != NULL;
	if (!bundle)
		take_hashed(f, m, "/etc/ssl/certs");
	if (named)
		take_hashed(f, m, named);
}

static bool exports_one(struct families *f, const char *path, const char *const *symbols)
{
	struct strv exports CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *end = NULL;

	if (host_resolve(f->c.ev->host, path, &end, NULL, NULL) < 0)
		return false;
	CLEANUP_FD int fd = beneath_open_nolink(f->c.ev->host, end, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0 || elf_exports(fd, &exports, NULL) < 0)
		return false;
	for (; *symbols; symbols++)
		if (strv_has(&exports, *symbols))
			return true;
	return false;
}

/* Plugins that serve the side the program is on: a client has no use for a database of users. */
static void take_plugins(struct families *f, const struct met *m, const char *dir, bool server)
{
	static const char *const client_side[] = {"sasl_client_plug_init", NULL};
	static const char *const server_side[] = {"sasl_server_plug_init", "sasl_auxprop_plug_init",
						  NULL};
	CLEANUP_STR char *pattern = path_join(dir, "*.so*");
	struct strv paths CLEANUP_STRV = STRV_INIT;

	host_glob(f->c.ev->host, pattern, PLUGINS_MAX, &paths);
	for (size_t i = 0; i < paths.n; i++)
		if (exports_one(f, paths.v[i], server ? server_side : client_side))
			part_take(f, m, paths.v[i]);
}

void family_sasl_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	struct strv dirs CLEANUP_STRV = STRV_INIT;
	bool server = o && elf_imports(o, "sasl_server_init");

	part_compiled(f, m, NAMES("libsasl2.so.2", "libsasl2.so.3"), "*/sasl2", "sasl2", &dirs);
	strv_add(&dirs, "/usr/lib/sasl2");
	for (size_t i = 0; i < dirs.n; i++) {
		CLEANUP_STR char *conf = path_join(dirs.v[i], "*.conf");
		part_take(f, m, conf);
		take_plugins(f, m, dirs.v[i], server);
	}
	if (server)
		part_take(f, m, "/run/saslauthd/mux");
}
