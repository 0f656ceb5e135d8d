/* SPDX-License-Identifier: MIT */
/* immure why: the evidence for one path or account, up to the service; or the line to add. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "cmd/cmd.h"
#include "jail/answer.h"
#include "jail/json-text.h"
#include "jail/right-answer.h"

/* One question, and what the answer is made from. */
struct question {
	const char *name, *asked; /* operands */
	const char *config;	  /* directory of the spec */
	struct generation generation;
	struct manifest manifest;
	int host;
	bool verbose;
};

static int ask_path(const struct question *q, const char *path, struct answer *ret, struct err *e)
{
	return answer_path(&q->generation, &q->manifest, q->host, path, ret, e);
}

static int ask_account(const struct question *q, const char *name, bool group, struct answer *ret,
		       struct err *e)
{
	if (!*name)
		return err_set(e, -EINVAL, "%s names no account", q->asked);
	answer_account(&q->generation, &q->manifest, name, group, ret);
	return 0;
}

static int ask_user(const struct question *q, const char *name, struct answer *ret, struct err *e)
{
	return ask_account(q, name, false, ret, e);
}

static int ask_group(const struct question *q, const char *name, struct answer *ret, struct err *e)
{
	return ask_account(q, name, true, ret, e);
}

/* Sorts of questions, by how they begin; all others are about rights. */
static const struct {
	const char *prefix;
	int (*ask)(const struct question *q, const char *rest, struct answer *ret, struct err *e);
} sorts[] = {
    {"/", ask_path},
    {"user:", ask_user},
    {"group:", ask_group},
};

/* 1 where it was answered, 0 where it is about a right. */
static int ask(const struct question *q, struct answer *ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(sorts); i++) {
		const char *rest = str_after(q->asked, sorts[i].prefix);
		bool path = sorts[i].ask == ask_path;
		if (rest) {
			int r = sorts[i].ask(q, path ? q->asked : rest, ret, e);
			return r < 0 ? r : 1;
		}
	}
	return 0;
}

static int answer_about_right(const struct invocation *in, const struct question *q)
{
	struct right_answer a CLEANUP_RIGHT_ANSWER = RIGHT_ANSWER_INIT;
	struct err e = {0};

	if (right_answer(&q->generation, q->asked, &a, &e) < 0)
		return cmd_fail(&e);
	if (in->common->json) {
		cmd_print_json(json_pack("{ss so sb so so}", "name", q->name, "asked",
					 json_text(q->asked), "present", a.granted, "why",
					 json_text(a.text), "remedy",
					 a.remedy ? json_text(a.remedy) : json_null()));
	} else if (!in->common->quiet) {
		CLEANUP_STR char *why = str_printable(xstrdup(a.text));
		printf("%s: %s\n  %s\n", q->asked, a.granted ? "granted" : "not granted", why);
		if (a.remedy)
			printf("  to grant it, in [Jail] of %s/%s.conf, then immure build %s:\n"
			       "    %s\n",
			       q->config, q->name, q->name, a.remedy);
	}
	return a.granted ? EXIT_GOOD : EXIT_NO;
}

/* --- for people ---------------------------------------------------------------------------------
 */

/* Paths and reasons hold what others have named. */
static void say(const char *fmt, ...) PRINTF(1, 2);
static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	CLEANUP_STR char *line = xvasprintf(fmt, ap);
	va_end(ap);
	puts(str_printable(line));
}

/* ", libc6 2.36-9", or "" */
static char *package_of(const struct entry *en)
{
	return en && en->package ? xasprintf(", %s %s", en->package, en->version ? en->version : "")
				 : xstrdup("");
}

static void print_head(const struct question *q, const struct answer *a)
{
	const char *path = a->path ? a->path : q->asked;
	CLEANUP_STR char *package = package_of(a->entry);

	if (a->links.n)
		say("%s", q->asked);
	for (size_t i = 0; i < a->links.n; i++)
		say("  %s", a->links.v[i]);
	if (a->present)
		say("%s   (%s, %s%s%s%s%s)", path, a->class, a->provided, a->access ? ", " : "",
		    a->access ? a->access : "", package,
		    a->entry && a->entry->start_helper ? ", start helper" : "");
	else
		say("%s: not in the jail", path);
}

/* With -v: the reasons that the chain does not go by, and what the runs saw. */
static void print_more(const struct question *q, const struct why_step *step)
{
	const struct entry *en = manifest_find(&q->manifest, step->path);

	for (size_t i = 0; en && i < en->n_reasons; i++)
		if (en->reasons[i].kind != REASON_USED &&
		    !streq(en->reasons[i].text, step->reason.text))
			say("      also %s", en->reasons[i].text);
	if (en && en->used)
		say("      seen at %s: %s%s%s", en->phase ? en->phase : "start", en->used,
		    en->by ? " by " : "", en->by ? en->by : "");
}

static void print_chain(const struct question *q, const struct answer *a)
{
	const struct why_chain *c = &a->chain;

	for (size_t i = 0; i < c->n; i++) {
		if (i)
			say("  %s: %s", c->v[i].path, c->v[i].reason.text);
		else
			say("  %s", c->v[i].reason.text);
		if (q->verbose)
			print_more(q, &c->v[i]);
	}
	if (!c->n && a->present)
		say("  the manifest has no evidence for it");
	if (c->n && !c->whole)
		say("  %s: no evidence in this jail leads further", c->v[c->n - 1].reason.from);
}

static void print_absent(const struct question *q, const struct answer *a)
{
	const struct remedy *r = &a->remedy;

	if (a->note)
		say("  %s", a->note);
	if (a->host)
		say("  on the host: %s", a->host);
	if (r->line) {
		say("  to add it (%s), in [%s] of %s/%s.conf, then immure build %s:", r->note,
		    spec_section_name(r->section), q->config, q->name, q->name);
		say("    %s", r->line);
	} else if (r->note)
		say("  %s", r->note);
}

static void print_text(const struct question *q, const struct answer *a)
{
	print_head(q, a);
	print_chain(q, a);
	if (!a->present)
		print_absent(q, a);
}

/* --- for programs -------------------------------------------------------------------------------
 */

static json_t *text_or_null(const char *text)
{
	return text ? json_text(text) : json_null();
}

static json_t *reason_json(const struct reason *r)
{
	json_t *j = reason_to_json(r);

	if (!r->from)
		json_object_set_new(j, "from", json_null());
	return j;
}

static json_t *chain_json(const struct why_chain *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n; i++) {
		json_t *step = reason_json(&c->v[i].reason);
		json_object_set_new(step, "path", json_text(c->v[i].path));
		json_array_append_new(list, step);
	}
	return list;
}

static json_t *reasons_json(const struct entry *en)
{
	json_t *list = json_array();

	for (size_t i = 0; en && i < en->n_reasons; i++)
		json_array_append_new(list, reason_json(&en->reasons[i]));
	return list;
}

static json_t *links_json(const struct strv *links)
{
	json_t *list = json_array();

	for (size_t i = 0; i < links->n; i++)
		json_array_append_new(list, json_text(links->v[i]));
	return list;
}

static json_t *answer_json(const struct question *q, const struct answer *a)
{
	const struct entry *en = a->entry;
	const struct remedy *r = &a->remedy;
	const struct {
		const char *key, *text;
	} texts[] = {
	    {"path", a->path ? a->path : q->asked},
	    {"class", a->class},
	    {"provided", a->provided},
	    {"access", a->access},
	    {"package", en ? en->package : NULL},
	    {"version", en ? en->version : NULL},
	    {"used", en ? en->used : NULL},
	    {"by", en ? en->by : NULL},
	    {"phase", en ? en->phase : NULL},
	    {"host", a->host},
	    {"note", a->note ? a->note : r->note},
	    {"remedy", r->line},
	    {"section", r->line ? spec_section_name(r->section) : NULL},
	};
	json_t *j = json_pack("{ss so sb so so so}", "name", q->name, "asked", json_text(q->asked),
			      "present", a->present, "links", links_json(&a->links), "chain",
			      chain_json(&a->chain), "reasons", reasons_json(en));

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_object_set_new(j, texts[i].key, text_or_null(texts[i].text));
	return j;
}

static void question_done(struct question *q)
{
	generation_done(&q->generation);
	manifest_done(&q->manifest);
	fd_close(&q->host);
}

static int question_load(struct question *q, const struct dirs *d, struct err *e)
{
	int r = generation_load(d, q->name, &q->generation, e);

	if (r == 0)
		r = manifest_load(q->generation.dir, &q->manifest, e);
	return r == 0 && q->host < 0 ? err_errno(e, -errno, "opening /") : r;
}

static int answer_one(const struct invocation *in, const struct question *q)
{
	struct answer a CLEANUP_ANSWER = ANSWER_INIT;
	struct err e = {0};
	int r = ask(q, &a, &e);

	if (r < 0)
		return cmd_fail(&e);
	if (r == 0)
		return answer_about_right(in, q);
	if (in->common->json)
		cmd_print_json(answer_json(q, &a));
	else if (!in->common->quiet)
		print_text(q, &a);
	return a.present ? EXIT_GOOD : EXIT_NO;
}

/* Several questions are answered in turn; one that cannot be asked ends it. */
static int run(const struct invocation *in)
{
	struct question q CLEANUP(question_done) = {
	    .name = in->name,
	    .config = in->dirs->config,
	    .host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
	    .verbose = in->common->verbose,
	};
	struct err e = {0};
	int status = EXIT_GOOD;

	if (question_load(&q, in->dirs, &e) < 0)
		return cmd_fail(&e);
	for (size_t i = 1; i < in->given->args.n; i++) {
		q.asked = in->given->args.v[i];
		int one = answer_one(in, &q);
		if (one != EXIT_GOOD && one != EXIT_NO)
			return one;
		status = one == EXIT_NO ? one : status;
	}
	return status;
}

const struct command cmd_why = {
    .name = "why",
    .summary = "why something is in a jail; or the line that would add it",
    .synopsis = "NAME PATH|user:NAME|group:NAME|CAP_X|CALL()|tcp:PORT...",
    .more = "Follows the evidence for a path, a device or an account, one step a line, up to the\n"
	    "service's command or the spec. Links are followed as in the jail. Of what the jail "
	    "does\n"
	    "not have it tells what the host has and which line of the spec would add it; the "
	    "exit\n"
	    "status is 1 then. With -v all reasons of each step, and what the runs saw.\n"
	    "A right (a capability, a system call, a socket family AF_X, a protocol:132, a port\n"
	    "as tcp:80 or connect:tcp:25, set-id:PATH, set-id-modes, leases, 32-bit, proc) is\n"
	    "granted by what the runs saw, by the spec, or by the base set that every program\n"
	    "may need.\n"
	    "\n"
	    "files lists all that a jail has.",
    .min_args = 2,
    .max_args = 100000,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
