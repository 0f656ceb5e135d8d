/* SPDX-License-Identifier: MIT */
#include "cmd/summary.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "cmd/summary-parts.h"

/* What an attacker could run there: programs and interpreters, not the loader. */
static bool is_program(const struct entry *en)
{
	if (!S_ISREG(en->mode) || !(en->mode & 0111) || !en->used)
		return false;
	return strstr(en->used, "exec") ||
	       (strstr(en->used, "interp") && !strstr(path_base(en->path), "ld-linux") &&
		!str_after(path_base(en->path), "ld-musl"));
}

void totals_count(const struct manifest *m, struct totals *t)
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

void totals_done(struct totals *t)
{
	strv_done(&t->secrets);
	strv_done(&t->programs);
}

void list_print(const char *title, const struct strv *list, size_t most)
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
		printf("  %-10s %s%s%s%s\n", class_name(l->v[i].class), str_printable(path),
		       l->v[i].writable ? "" : " (read-only)",
		       l->v[i].create ? " (made at the start)" : "",
		       l->v[i].source ? " (shared by name)" : "");
	}
}

/* A line each: it has its remedy in it. */
static void print_withheld(const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		CLEANUP_STR char *safe = xstrdup(lines->v[i]);
		printf("  %-10s %s\n", "withheld", str_printable(safe));
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
	list_print("unforeseen", &rc->missed, 4);
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

void steps_print(const struct proof_result *r)
{
	for (size_t i = 0; i < r->n_steps; i++) {
		const struct proof_step *s = &r->steps[i];
		const struct difference *d = &s->difference;
		printf("  step %-5zu %s: exit %d, ", i + 1, d->differs ? "DIFFERS" : "same",
		       d->status_b);
		if (d->masked)
			printf("%zu line%s by shape only, ", d->masked, d->masked == 1 ? "" : "s");
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

/* Doors to other services, and what would decide about them. */
static void print_doors(const struct build_report *r)
{
	for (size_t i = 0; i < r->doors.n; i++) {
		const struct door *d = &r->doors.v[i];
		CLEANUP_STR char *path = str_printable(xstrdup(d->path));
		printf("  %-10s %s of %s%s%s: %s\n", "socket", path,
		       d->server ? d->server : "another service (nobody listens now)",
		       d->package ? ", package " : "", d->package ? d->package : "",
		       d->reachable ? "open to it"
		       : d->decided ? "refused"
				    : "not in the jail");
		if (!d->decided)
			printf("             Socket=%s=bind in [Jail] opens it; =refuse, =ignore\n",
			       path);
	}
	list_print("tried", &r->peers, 6);
	if (r->peers.n)
		puts("             which a build does not reach; --net host would, and is riskier");
}

static void print_helpers(const struct build_report *r)
{
	char cost[64];

	if (!r->wrappers.n)
		return;
	list_print("helpers", &r->wrappers, 6);
	printf("             needed to start only, with %s; Direct=yes in [Jail] does without\n",
	       words_of(&r->helpers, cost, sizeof(cost)));
}

/* Whom it may call, and what would be enough. */
static void print_connects(const struct spec *s, const struct build_report *r)
{
	if (!r->connects)
		puts("  connects   nowhere (tcp; Rights=connect:tcp:PORT lets it)");
	else if (s->connect_to.n)
		list_print("connects", &s->connect_to, 8);
	else
		puts("  connects   anywhere (tcp)");
	if (!r->connects || s->connect_to.n || !r->peers.n)
		return;
	fputs("  enough     ConnectTo=localhost", stdout);
	for (size_t i = 0; i < r->peers.n; i++) {
		/* "10.0.0.5:5432", "[2001:db8::1]:53" */
		const char *peer = r->peers.v[i], *colon = strrchr(peer, ':');
		bool bracket = *peer == '[';
		int n = colon ? (int)(colon - peer) : (int)strlen(peer);
		printf(" %.*s", bracket ? n - 2 : n, peer + bracket);
	}
	puts(" (whom the runs called)");
}

/* Landlock knows the ports of TCP alone; the control group's programs know these too. */
static void print_udp(const struct spec *s, const struct build_report *r)
{
	list_print("udp ports", &r->udp_ports, 8);
	if (!r->udp_ports.n || r->udp_ports.n > 8 || s->bind_deny.n)
		return;
	fputs("             SocketBindDeny=udp and SocketBindAllow=", stdout);
	for (size_t i = 0; i < r->udp_ports.n; i++)
		printf("%sudp:%s", i ? " " : "", r->udp_ports.v[i]);
	puts(" would hold it to them");
}

/* What would make it weaker, and whom else its user is. */
static void print_user(const struct build_report *r)
{
	static const char *const offers[] = {
	    [OFFER_WORKS] = "as root; PrivateUsers=yes would make that nobody outside (tried: it "
			    "answers as natively), as would User=",
	    [OFFER_FAILS] = "as root; PrivateUsers=yes was tried: it does not answer as natively",
	};

	if (r->offer)
		printf("  %-10s %s\n", "runs", offers[r->offer]);
	list_print("same user", &r->same_user, 6);
}

/* What an attacker inside could still do. */
static void print_rights(const struct spec *s, const struct build_report *r)
{
	if (r->rights.n)
		list_print("rights", &r->rights, 12);
	else
		puts("  rights     none: no capabilities, no uncommon calls");
	list_print("narrowed", &r->narrowed, 6);
	print_connects(s, r);
	print_udp(s, r);
	list_print("refused", &r->refused, 6);
	list_print("in vain", &r->unwell, 6);
	list_print("no wall", &r->lacking, 8);
}

/* Whether the default exercise has a step of that kind (for a signal: that one) which the service
 * survived. */
static bool tried(const struct probe *p, enum probe_kind kind, int signal)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].kind == kind && p->v[i].signal == signal &&
		    !str_ends(p->v[i].text, ": it ends"))
			return true;
	return false;
}

static void print_head(const struct spec *s, const struct build_report *r)
{
	const char *name = s->name;
	char what[96];

	if (!s->exercise.n)
		snprintf(what, sizeof(what),
			 "only that it gets ready%s%s and stops (--exercise shows more)",
			 tried(&r->probe, PROBE_CONNECT, 0) ? ", takes connections" : "",
			 tried(&r->probe, PROBE_SIGNAL, SIGHUP) ? ", reloads" : "");
	else
		snprintf(what, sizeof(what), "%zu exercise step%s as natively", r->proof.n_steps,
			 r->proof.n_steps == 1 ? "" : "s");
	if (r->proof.proved)
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

	totals_count(&r->manifest, &t);
	print_head(s, r);
	printf("  %-10s %zu files, %s\n", "jail", t.files, cmd_size(t.bytes, size, sizeof(size)));
	print_evidence(s, r);
	list_print("listens", &r->listeners, 8);
	print_layout(&r->layout);
	print_withheld(&r->withheld);
	print_accounts(r);
	list_print("secrets", &t.secrets, 6);
	print_left_out("left out", ev->secrets, ev->n_secrets, 6);
	print_left_out("passed by", ev->passed, ev->n_passed, 4);
	list_print("missing", &r->foresight.missing, 4);
	list_print("programs", &t.programs, 8);
	list_print("masked", &r->masked, 6);
	print_helpers(r);
	print_user(r);
	print_rights(s, r);
	print_doors(r);
	list_print("pid files", &r->pid_files, 6);
	list_print("private", &r->private, 6);
	if (t.set_id)
		printf("  set-id     %zu file%s\n", t.set_id, t.set_id == 1 ? "" : "s");
	if (r->syslog)
		printf("  %-10s %s\n", "syslog", s->syslog ? s->syslog : "host");
	for (size_t i = 0; i < notes->n; i++)
		printf("  note       %s\n", notes->v[i]);
	steps_print(&r->proof);
	printf("  took       %.2f s natively, %.2f s watched, %.2f s growing, %.2f s jailed\n",
	       r->native_s, r->baseline_s, r->growth_s, r->proof_s);
	if (r->proof.proved && r->generation == 1)
		printf("  next       immure start %s (when the native one is stopped); "
		       "immure files %s\n",
		       s->name, s->name);
	totals_done(&t);
}

void summary_print(const struct invocation *in, const struct spec *s, const struct build_report *r,
		   const struct strv *notes)
{
	if (in->common->json)
		summary_json(s, r, notes);
	else if (!in->common->quiet || !r->proof.proved)
		print_text(s, r, notes);
}
