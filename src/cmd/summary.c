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
		if (en->provided != PROVIDED_COPY || S_ISDIR(en->mode))
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
	struct totals t = {0};
	char size[32];

	count(&r->manifest, &t);
	print_head(r, s->name);
	printf("  %-10s %zu files, %s\n", "jail", t.files, cmd_size(t.bytes, size, sizeof(size)));
	print_list("listens", &r->listeners, 8);
	print_layout(&r->layout);
	print_list("secrets", &t.secrets, 6);
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

static void print_object(const struct spec *s, const struct build_report *r,
			 const struct strv *notes)
{
	struct totals t = {0};

	count(&r->manifest, &t);
	cmd_print_json(json_pack(
	    "{ss sb sb si sI sI so so so so so so so so so sb so s{sf sf sf sf} si}", "name",
	    s->name, "changed", r->proved, "proved", r->proved, "generation", r->generation,
	    "files", (json_int_t)t.files, "bytes", (json_int_t)t.bytes, "listeners",
	    strings(&r->listeners), "layout", layout_to_json(&r->layout), "secrets",
	    strings(&t.secrets), "programs", strings(&t.programs), "sockets", strings(&r->sockets),
	    "peers", strings(&r->peers), "misses", strings(&r->misses), "notes", strings(notes),
	    "private", strings(&r->private), "syslog", r->syslog, "steps", steps(r), "seconds",
	    "watched", r->baseline_s, "growth", r->growth_s, "native", r->native_s, "jailed",
	    r->proof_s, "growths", (int)r->growths));
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
