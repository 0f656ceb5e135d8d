/* SPDX-License-Identifier: MIT */
#include "cmd/summary.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"

struct totals {
	size_t files, set_id;
	long long bytes;
	struct strv secrets, programs;
};

/* What an attacker could run there: programs and interpreters, not the loader. */
static bool is_program(const struct entry *en)
{
	if (!S_ISREG(en->mode) || !(en->mode & 0111) || !en->used)
		return false;
	return strstr(en->used, "exec") ||
	       (strstr(en->used, "interp") && !strstr(path_base(en->path), "ld-linux") &&
		!str_after(path_base(en->path), "ld-musl"));
}

static void count(const struct manifest *m, struct totals *t)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct entry *en = &m->v[i];
		if (en->class == CLASS_SECRET)
			strv_add(&t->secrets, en->path);
		if (is_program(en))
			strv_add(&t->programs, en->path);
		if (!entry_is_held(en) || S_ISDIR(en->mode))
			continue;
		t->files++;
		t->bytes += en->size;
		t->set_id += S_ISREG(en->mode) && en->mode & (S_ISUID | S_ISGID);
	}
}

static void print_list(const char *title, const struct strv *list, size_t most)
{
	if (!list->n)
		return;
	printf("  %-10s", title);
	for (size_t i = 0; i < list->n && i < most; i++) {
		CLEANUP_STR char *safe = xstrdup(list->v[i]);
		printf("%s%s", i ? ", " : " ", str_printable(safe));
	}
	if (list->n > most)
		printf(" and %zu more", list->n - most);
	putchar('\n');
}

static void print_layout(const struct layout *l)
{
	for (size_t i = 0; i < l->n; i++) {
		CLEANUP_STR char *path = xstrdup(l->v[i].path);
		printf("  %-10s %s%s%s\n", class_name(l->v[i].class), str_printable(path),
		       l->v[i].writable ? "" : " (read-only)",
		       l->v[i].create ? " (made at the start)" : "");
	}
}

static const char *words_of(const struct cost *c, char *buf, size_t size)
{
	char bytes[32];

	snprintf(buf, size, "%zu file%s, %s", c->files, c->files == 1 ? "" : "s",
		 cmd_size(c->bytes, bytes, sizeof(bytes)));
	return buf;
}

static void print_evidence(const struct spec *s, const struct build_report *r)
{
	static const char *const foreseen[] = {"would add", "adds", "adds"};
	static const char *const package[] = {"would add", "would add", "adds"};
	const struct recall *rc = &r->recall;
	char a[64], b[64], c[64];

	printf("  %-10s used: %s; foresight %s %s; whole packages %s %s\n", "evidence",
	       words_of(&rc->exact, a, sizeof(a)), foreseen[s->closure],
	       words_of(&rc->foreseen, b, sizeof(b)), package[s->closure],
	       words_of(&r->package, c, sizeof(c)));
	printf("  %-10s %zu of %zu used files were foreseen\n", "foresight", rc->met,
	       rc->exact.files);
	print_list("unforeseen", &rc->missed, 4);
}

static void print_accounts(const struct build_report *r)
{
	const struct accounts *a = &r->foresight.accounts;
	size_t groups = 0;

	for (size_t i = 0; i < a->n; i++)
		groups += a->v[i].group;
	if (r->live_accounts) {
		const char *sign = r->foresight.accounts_live;
		CLEANUP_STR char *safe = xstrdup(sign ? sign : "Accounts=live");
		printf("  %-10s the host's own, always current (%s)\n", "accounts",
		       str_printable(safe));
	} else
		printf("  %-10s %zu users, %zu groups\n", "accounts", a->n - groups, groups);
}

static void print_left_out(const char *title, const struct left_out *v, size_t n, size_t most)
{
	for (size_t i = 0; i < n && i < most; i++) {
		CLEANUP_STR char *line = xasprintf("%s: %s", v[i].path, v[i].text);
		printf("  %-10s %s\n", title, str_printable(line));
	}
	if (n > most)
		printf("  %-10s and %zu more\n", title, n - most);
}

/* The first line of a command; a longer one is marked. */
static void print_command(const char *command)
{
	size_t n = strcspn(command, "\n");
	CLEANUP_STR char *line = xstrndup(command, n);

	printf("%s%s\n", str_printable(line), command[n] ? " ..." : "");
}

static void print_steps(const struct build_report *r)
{
	for (size_t i = 0; i < r->n_steps; i++) {
		const struct proof_step *s = &r->steps[i];
		const struct difference *d = &s->difference;
		printf("  step %-5zu %s: exit %d, ", i + 1, d->differs ? "DIFFERS" : "same",
		       d->status_b);
		print_command(s->command);
		if (d->differs && d->status_a != d->status_b)
			printf("             exit status natively %d, jailed %d\n", d->status_a,
			       d->status_b);
		if (d->differs && d->line)
			printf("             line %zu natively: %s\n"
			       "             line %zu jailed:   %s\n",
			       d->line, d->a, d->line, d->b);
	}
}

static void print_head(const struct build_report *r, const char *name)
{
	char what[80];

	if (!r->n_steps)
		snprintf(what, sizeof(what), "start and stop only (give --exercise for more)");
	else
		snprintf(what, sizeof(what), "%zu exercise step%s as natively", r->n_steps,
			 r->n_steps == 1 ? "" : "s");
	if (r->proved)
		printf("%s: proved, generation %d: %s\n", name, r->generation, what);
	else
		printf("%s: NOT proved: it answers otherwise in the jail; nothing was changed\n",
		       name);
}

static void print_text(const struct spec *s, const struct build_report *r, const struct strv *notes)
{
	const struct evidence *ev = r->foresight.evidence;
	struct totals t = {0};
	char size[32];

	count(&r->manifest, &t);
	print_head(r, s->name);
	printf("  %-10s %zu files, %s\n", "jail", t.files, cmd_size(t.bytes, size, sizeof(size)));
	print_evidence(s, r);
	print_list("listens", &r->listeners, 8);
	print_layout(&r->layout);
	print_accounts(r);
	print_list("secrets", &t.secrets, 6);
	print_left_out("left out", ev->secrets, ev->n_secrets, 6);
	print_left_out("passed by", ev->passed, ev->n_passed, 4);
	print_list("missing", &r->foresight.missing, 4);
	print_list("programs", &t.programs, 8);
	print_list("sockets", &r->sockets, 6);
	print_list("private", &r->private, 6);
	if (r->peers.n)
		printf("  it tried %s, which a build does not reach (Net=host would)\n",
		       r->peers.v[0]);
	if (t.set_id)
		printf("  set-id     %zu file%s\n", t.set_id, t.set_id == 1 ? "" : "s");
	if (r->syslog)
		puts("  note       it writes to syslog (/dev/log), which does not reach it in the "
		     "jail");
	for (size_t i = 0; i < notes->n; i++)
		printf("  note       %s\n", notes->v[i]);
	print_steps(r);
	printf("  took       %.2f s natively, %.2f s watched, %.2f s growing, %.2f s jailed\n",
	       r->native_s, r->baseline_s, r->growth_s, r->proof_s);
	if (r->proved && r->generation == 1)
		printf("  next       immure start %s (when the native one is stopped); "
		       "immure files %s\n",
		       s->name, s->name);
	strv_done(&t.secrets);
	strv_done(&t.programs);
}

static json_t *strings(const struct strv *list)
{
	json_t *j = json_array();

	for (size_t i = 0; i < list->n; i++) {
		CLEANUP_STR char *safe = xstrdup(list->v[i]);
		json_array_append_new(j, json_string(str_printable(safe)));
	}
	return j;
}

static json_t *steps(const struct build_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_steps; i++) {
		const struct proof_step *s = &r->steps[i];
		const struct difference *d = &s->difference;
		json_t *j =
		    json_pack("{ss sb si si sf sf}", "command", s->command, "same", !d->differs,
			      "native_status", d->status_a, "jailed_status", d->status_b,
			      "native_seconds", s->native_s, "jailed_seconds", s->jailed_s);
		if (d->differs && d->line) {
			json_object_set_new(j, "line", json_integer((json_int_t)d->line));
			json_object_set_new(j, "native_line", json_string(d->a));
			json_object_set_new(j, "jailed_line", json_string(d->b));
		}
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *cost_json(const struct cost *c)
{
	return json_pack("{sI sI}", "files", (json_int_t)c->files, "bytes", (json_int_t)c->bytes);
}

static json_t *left_out_json(const struct left_out *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		CLEANUP_STR char *path = xstrdup(v[i].path), *text = xstrdup(v[i].text);
		json_array_append_new(list, json_pack("{ss ss}", "path", str_printable(path),
						      "text", str_printable(text)));
	}
	return list;
}

static json_t *foresight_json(const struct build_report *r)
{
	const struct evidence *ev = r->foresight.evidence;

	return json_pack(
	    "{so so so sI so so so so sb so}", "used", cost_json(&r->recall.exact), "foreseen",
	    cost_json(&r->recall.foreseen), "package", cost_json(&r->package), "met",
	    (json_int_t)r->recall.met, "missed", strings(&r->recall.missed), "secrets_left_out",
	    left_out_json(ev->secrets, ev->n_secrets), "passed",
	    left_out_json(ev->passed, ev->n_passed), "missing", strings(&r->foresight.missing),
	    "live_accounts", r->live_accounts, "families", strings(&r->foresight.families));
}

static void print_object(const struct spec *s, const struct build_report *r,
			 const struct strv *notes)
{
	struct totals t = {0};

	count(&r->manifest, &t);
	cmd_print_json(json_pack(
	    "{ss sb sb si sI sI so so so so so so so so so sb so s{sf sf sf sf} si so}", "name",
	    s->name, "changed", r->proved, "proved", r->proved, "generation", r->generation,
	    "files", (json_int_t)t.files, "bytes", (json_int_t)t.bytes, "listeners",
	    strings(&r->listeners), "layout", layout_to_json(&r->layout), "secrets",
	    strings(&t.secrets), "programs", strings(&t.programs), "sockets", strings(&r->sockets),
	    "peers", strings(&r->peers), "misses", strings(&r->misses), "notes", strings(notes),
	    "private", strings(&r->private), "syslog", r->syslog, "steps", steps(r), "seconds",
	    "watched", r->baseline_s, "growth", r->growth_s, "native", r->native_s, "jailed",
	    r->proof_s, "growths", (int)r->growths, "evidence", foresight_json(r)));
	strv_done(&t.secrets);
	strv_done(&t.programs);
}

void summary_print(const struct invocation *in, const struct spec *s, const struct build_report *r,
		   const struct strv *notes)
{
	if (in->common->json)
		print_object(s, r, notes);
	else if (!in->common->quiet || !r->proved)
		print_text(s, r, notes);
}
