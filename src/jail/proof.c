/* SPDX-License-Identifier: MIT */
#include "jail/proof.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "jail/output.h"
#include "jail/unreached.h"

static const char *step_text(const struct trial *p, size_t i)
{
	return p->spec->exercise.n ? p->spec->exercise.v[i] : p->probe->v[i].text;
}

int proof_native(const struct trial *p, const struct twin_report *native, struct err *e)
{
	for (size_t i = 0; i < native->n_steps; i++) {
		const struct outcome *o = &native->steps[i];
		CLEANUP_STR char *tried = unreached_text(p->watched);
		CLEANUP_STR char *out = output_tail(o->out);
		CLEANUP_STR char *err = output_tail(o->err);
		const char *tail = err[0] ? err : out;
		if (o->timed_out)
			return err_set(
			    e, -ETIME,
			    "exercise step %zu (%s) did not end within %.0f s natively; "
			    "the fault is not the jail's (Timeout= in [Exercise] gives it "
			    "longer)%s%s%s",
			    i + 1, step_text(p, i), p->spec->exercise_timeout, tried,
			    tail[0] ? ":\n" : "", tail);
		if (o->status != 0)
			return err_set(
			    e, -EREMOTEIO,
			    "exercise step %zu (%s) fails natively, with exit status %d: "
			    "the fault is not the jail's%s%s%s",
			    i + 1, step_text(p, i), o->status, tried,
			    tail[0] ? "; it printed:\n" : "", tail);
	}
	return 0;
}

int proof_stable(const struct trial *p, const struct twin_report *a, const struct twin_report *b,
		 struct err *e)
{
	bool shape = p->spec->compare == COMPARE_SHAPE;

	for (size_t i = 0; i < b->n_steps; i++) {
		struct difference d;
		int r = compare_outcomes(&a->steps[i], &b->steps[i], shape, &d);
		if (r < 0)
			return err_errno(e, r, "comparing outputs");
		if (d.differs)
			return err_set(
			    e, -EREMOTEIO,
			    "exercise step %zu (%s) prints something else each time it is "
			    "run natively, so nothing can be compared: line %zu was\n"
			    "    %s\nthen\n    %s\n"
			    "It looks like %s\n"
			    "Let the step leave that out, or set Compare=shape in [Exercise], "
			    "which lets numbers differ",
			    i + 1, step_text(p, i), d.line, d.a, d.b, difference_hint(&d));
	}
	return 0;
}

int proof_compare(const struct trial *p, const struct twin_report *native,
		  const struct twin_report *jailed, struct proof_result *ret, struct err *e)
{
	ret->steps = xcalloc(native->n_steps + 1, sizeof(*ret->steps));
	ret->proved = true;
	for (size_t i = 0; i < native->n_steps; i++) {
		struct proof_step *s = &ret->steps[ret->n_steps++];
		int r = compare_outcomes(&native->steps[i], &jailed->steps[i],
					 p->spec->compare == COMPARE_SHAPE, &s->difference);
		if (r < 0)
			return err_errno(e, r, "comparing outputs");
		s->command = step_text(p, i);
		s->native_s = native->steps[i].seconds;
		s->jailed_s = jailed->steps[i].seconds;
		ret->proved &= !s->difference.differs;
	}
	return 0;
}

void proof_result_done(struct proof_result *r)
{
	free(r->steps);
	*r = (struct proof_result){0};
}
