/* SPDX-License-Identifier: MIT */
/* USER PASSWORD: whether PAM lets him in. */
#include "asked.h"

#include <security/pam_appl.h>
#include <stdlib.h>
#include <string.h>

/* Any prompt is answered with the password. */
static int talk(int n, const struct pam_message **messages, struct pam_response **ret,
		void *password)
{
	struct pam_response *replies = calloc((size_t)n, sizeof(*replies));

	(void)messages;
	if (!replies)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++)
		replies[i].resp = strdup(password);
	*ret = replies;
	return PAM_SUCCESS;
}

void answer(const char *const words[4], FILE *out)
{
	char password[64];
	struct pam_conv conversation = {.conv = talk, .appdata_ptr = password};
	pam_handle_t *pam = NULL;

	snprintf(password, sizeof(password), "%s", words[1]);
	int r = pam_start("asked", words[0], &conversation, &pam);
	if (r == PAM_SUCCESS)
		r = pam_authenticate(pam, 0);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pam, 0);
	fprintf(out, r == PAM_SUCCESS ? "welcome\n" : "error: %s\n", pam_strerror(pam, r));
	pam_end(pam, r);
}
