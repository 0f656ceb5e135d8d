/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "cmd/cmd.h"
#include "cmd/summary-parts.h"

json_t *list_json(const struct strv *list)
{
	json_t *j = json_array();

	for (size_t i = 0; i < list->n; i++) {
		CLEANUP_STR char *safe = xstrdup(list->v[i]);
		json_array_append_new(j, json_string(str_printable(safe)));
	}
	return j;
}

json_t *steps_json(const struct proof_result *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_steps; i++) {
		const struct proof_step *s = &r->steps[i];
		const struct difference *d = &s->difference;
		json_t *j =
		    json_pack("{ss sb si si sf sf}", "command", s->command, "same", !d->differs,
			      "native_status", d->status_a, "jailed_status", d->status_b,
			      "native_seconds", s->native_s, "jailed_seconds", s->jailed_s);
		json_object_set_new(j, "masked", json_integer((json_int_t)d->masked));
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
	    (json_int_t)r->recall.met, "missed", list_json(&r->recall.missed), "secrets_left_out",
	    left_out_json(ev->secrets, ev->n_secrets), "passed",
	    left_out_json(ev->passed, ev->n_passed), "missing", list_json(&r->foresight.missing),
	    "live_accounts", r->live_accounts, "families", list_json(&r->foresight.families));
}

static json_t *text_or_null(const char *text)
{
	return text ? cmd_json_string(text) : json_null();
}

static json_t *doors_json(const struct doors *doors)
{
	json_t *list = json_array();

	for (size_t i = 0; i < doors->n; i++) {
		const struct door *d = &doors->v[i];
		json_array_append_new(
		    list, json_pack("{so so so sb sb}", "path", cmd_json_string(d->path), "server",
				    text_or_null(d->server), "package", text_or_null(d->package),
				    "reachable", d->reachable, "decided", d->decided));
	}
	return list;
}

void summary_json(const struct spec *s, const struct build_report *r, const struct strv *notes)
{
	struct totals t = {0};
	struct strv closed CLEANUP_STRV = STRV_INIT;

	totals_count(&r->manifest, &t);
	for (size_t i = 0; i < r->doors.n; i++)
		if (!r->doors.v[i].reachable)
			strv_add(&closed, r->doors.v[i].path);
	const struct {
		const char *key;
		const struct strv *list;
	} lists[] = {
	    {"listeners", &r->listeners},
	    {"secrets", &t.secrets},
	    {"programs", &t.programs},
	    {"sockets", &closed},
	    {"peers", &r->peers},
	    {"misses", &r->misses},
	    {"notes", notes},
	    {"private", &r->private},
	    {"pid_files", &r->pid_files},
	    {"masked", &r->masked},
	    {"start_helpers", &r->wrappers},
	    {"rights", &r->rights},
	    {"udp_ports", &r->udp_ports},
	    {"narrowed", &r->narrowed},
	    {"withheld", &r->withheld},
	    {"refused", &r->refused},
	    {"failed_commands", &r->unwell},
	    {"lacking_walls", &r->lacking},
	    {"same_user", &r->same_user},
	    {"connect_to", &s->connect_to},
	};
	json_t *j = json_pack(
	    "{ss sb sb si sI sI so sb sb so s{sf sf sf sf} si so so}", "name", s->name, "changed",
	    r->proof.proved, "proved", r->proof.proved, "generation", r->generation, "files",
	    (json_int_t)t.files, "bytes", (json_int_t)t.bytes, "layout", layout_to_json(&r->layout),
	    "syslog", r->syslog, "default_exercise", !s->exercise.n, "steps", steps_json(&r->proof),
	    "seconds", "watched", r->baseline_s, "growth", r->growth_s, "native", r->native_s,
	    "jailed", r->proof_s, "growths", (int)r->growths, "evidence", foresight_json(r),
	    "start_helper_cost", cost_json(&r->helpers));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		json_object_set_new(j, lists[i].key, list_json(lists[i].list));
	if (r->offer)
		json_object_set_new(j, "private_users_would_do",
				    json_boolean(r->offer == OFFER_WORKS));
	json_object_set_new(j, "doors", doors_json(&r->doors));
	json_object_set_new(j, "connects", json_boolean(r->connects));
	cmd_print_json(j);
	totals_done(&t);
}
