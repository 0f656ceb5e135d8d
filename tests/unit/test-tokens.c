/* SPDX-License-Identifier: MIT */
#include "base/attr.h"
#include "base/str.h"
#include "check.h"
#include "text/tokens.h"

/* "LINE KIND KEY TEXT" of each token, joined with "; ". Kinds: path, relative, word, command; "*"
 * behind one that is a glob. */
static const char *found(const char *text, size_t max)
{
	static char out[8192];
	static const char kinds[] = "PRWC";
	struct tokens t CLEANUP(tokens_done) = TOKENS_INIT;
	size_t n = 0;

	tokens_read(text, strlen(text), max, &t);
	out[0] = '\0';
	for (size_t i = 0; i < t.n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%u %c%s %s %s", n ? "; " : "",
				      t.v[i].line, kinds[t.v[i].kind], t.v[i].glob ? "*" : "",
				      t.v[i].key, t.v[i].text);
	return out;
}

static const struct {
	const char *text, *want;
} texts[] = {
    /* Apache */
    {"LoadModule cgi_module modules/mod_cgi.so\nDirectoryIndex index.html index.php # a/b\n",
     "1 W loadmodule cgi_module; 1 R loadmodule modules/mod_cgi.so; 2 R directoryindex index.html; "
     "2 R directoryindex index.php"},
    {"Alias /icons/ \"/usr/share/apache2/icons/\"\n<Directory \"/srv/my files\">\n    AuthUserFile "
     "${CONF}/users\n</Directory>\nIncludeOptional mods-enabled/*.load",
     "1 P alias /icons/; 1 P alias /usr/share/apache2/icons/; 2 P directory /srv/my files; 2 P "
     "directory /srv/my; 3 P authuserfile ${CONF}/users; 5 R* includeoptional mods-enabled/*.load"},
    {"ErrorLog \"|/usr/bin/rotatelogs -l /var/log/e.%Y 86400\"\nCustomLog \"|$logger -t x\" "
     "c\nRewriteMap m prg:/x/map\nLogFormat \"%h|%{User-agent}i\" agent\nUser ${U}",
     "1 C errorlog /usr/bin/rotatelogs -l /var/log/e.%Y 86400; 1 P errorlog /usr/bin/rotatelogs; 1 "
     "P errorlog /var/log/e.%Y; 2 C customlog logger -t x; 2 W customlog c; 3 W rewritemap m; 3 C "
     "rewritemap /x/map; 3 P rewritemap /x/map; 4 W logformat agent; 5 W user ${U}"},
    {"SetHandler \"proxy:unix:/run/php.sock|fcgi://localhost/\"\nProxyPass http://a.b/c\n",
     "1 P sethandler /run/php.sock"},
    {"PerlResponseHandler ModPerl::Registry\nPerlModule A::B::C_1 u:g A::\n",
     "1 W perlresponsehandler ModPerl::Registry; 2 W perlmodule A::B::C_1; 2 W perlmodule u; 2 W "
     "perlmodule g"},
    /* nginx */
    {"http { server { listen 80; root /srv/a; location ~ \\.php$ {\n  fastcgi_pass "
     "unix:/run/f.sock; } ssl_certificate /etc/a.pem ; } } # x\n",
     "1 W  http; 1 W  server; 1 P root /srv/a; 2 P fastcgi_pass /run/f.sock; 2 P ssl_certificate "
     "/etc/a.pem"},
    {"user www-data;\ninclude /etc/nginx/conf.d/*.conf;\nindex index.html;",
     "1 W user www-data; 2 P* include /etc/nginx/conf.d/*.conf; 3 R index index.html"},
    /* BIND */
    {"zone \"a\" { type master; file \"/etc/bind/db.a\"; }; // /c\n/* /d\n*/ include \"x.conf\";",
     "1 W zone a; 1 W type master; 1 P file /etc/bind/db.a; 3 R include x.conf"},
    /* Postfix */
    {"smtp      inet  n       -       y       -       -       smtpd\n  -o x=/y\n",
     "1 W smtp inet; 1 W smtp n; 1 W smtp y; 1 W smtp smtpd; 2 P x /y"},
    {"maildrop  unix  -       n       n       -       -       pipe\n  flags=DRXhu user=vmail "
     "argv=/usr/bin/maildrop -d ${recipient}",
     "1 W maildrop unix; 1 W maildrop n; 1 W maildrop n; 1 W maildrop pipe; 2 W flags DRXhu; 2 W "
     "user vmail; 2 C argv /usr/bin/maildrop -d ${recipient}; 2 P argv /usr/bin/maildrop; 2 W argv "
     "${recipient}"},
    {"alias_maps = hash:/etc/aliases, regexp:/etc/re,\n    pcre:/etc/pc\n#x = /y\n",
     "1 P alias_maps /etc/aliases; 1 P alias_maps /etc/re; 2 P alias_maps /etc/pc"},
    {"mailbox_command = /usr/bin/procmail -a \"$E\"\n    -x\nvirtual_alias = a",
     "1 C mailbox_command /usr/bin/procmail -a \"$E\"     -x; 1 P mailbox_command "
     "/usr/bin/procmail; 1 W mailbox_command $E; 3 W virtual_alias a"},
    {"root: admin\nv: \"|/usr/bin/vacation joe\"\nl: |/usr/lib/list post, /var/mail/l\n",
     "1 W root admin; 2 C v /usr/bin/vacation joe; 2 P v /usr/bin/vacation; 3 C l /usr/lib/list "
     "post, /var/mail/l; 3 P l /usr/lib/list; 3 W l post; 3 P l /var/mail/l"},
    /* PostgreSQL, MySQL, PHP, INI */
    {"archive_command = 'cp %p /x/%f'\t# /no\ndata_directory='/var/lib/p'\nport = 5432",
     "1 C archive_command cp %p /x/%f; 1 P archive_command /x/%f; 2 P data_directory /var/lib/p"},
    {"[mysqld]\nuser = mysql ; no /x\n;/y\nbasedir=/usr\nskip-name\n!includedir /etc/my.d/",
     "1 W  mysqld; 2 W user mysql; 4 P basedir /usr; 5 W basedir skip-name; 6 P !includedir "
     "/etc/my.d/"},
    {"sendmail_path = \"/usr/sbin/sendmail -t -i\"\nextension=curl\nzend_extension=opcache.so",
     "1 C sendmail_path /usr/sbin/sendmail -t -i; 1 P sendmail_path /usr/sbin/sendmail -t -i; 1 P "
     "sendmail_path /usr/sbin/sendmail; 2 W extension curl; 3 R zend_extension opcache.so"},
    {"[share]\n   path = /srv/x\n   passwd program = /usr/bin/passwd %u\n   add script = no\n",
     "1 W  share; 2 P path /srv/x; 3 C program /usr/bin/passwd %u; 3 P program /usr/bin/passwd; 4 "
     "W script no"},
    /* HAProxy, ssh, squid, rsyslog, lighttpd */
    {"stats socket /run/h.sock mode 660\nexternal-check command /x/check\nlog /dev/log local0",
     "1 W stats socket; 1 P stats /run/h.sock; 1 W stats mode; 2 W external-check command; 2 C "
     "command /x/check; 2 P command /x/check; 3 P log /dev/log; 3 W log local0"},
    {"Subsystem\tsftp\t/usr/lib/sftp-server\nProxyCommand /usr/bin/nc %h\nForceCommand "
     "internal-sftp",
     "1 W subsystem sftp; 1 P subsystem /usr/lib/sftp-server; 2 C proxycommand /usr/bin/nc %h; 2 P "
     "proxycommand /usr/bin/nc; 3 W forcecommand internal-sftp"},
    {"auth_param basic program /x/auth /etc/p\nrename-command A B\n",
     "1 W auth_param basic; 1 W auth_param program; 1 C program /x/auth /etc/p; 1 P program "
     "/x/auth; 1 P program /etc/p; 2 W rename-command A; 2 W rename-command B"},
    {"*.* -/var/log/messages\n*.* |/dev/xconsole\naction(type=\"omprog\" binary=\"/x/y -z\")",
     "1 R*  *.*; 1 P  /var/log/messages; 2 R*  *.*; 2 P  /dev/xconsole; 3 W type omprog; 3 C "
     "binary /x/y -z; 3 P binary /x/y -z; 3 P binary /x/y"},
    {"cgi.assign = ( \".pl\" => \"/usr/bin/perl\" )\ninclude_shell \"/x/y.pl \" + server.port",
     "1 P .pl /usr/bin/perl; 2 C include_shell /x/y.pl; 2 P include_shell /x/y.pl ; 2 P "
     "include_shell /x/y.pl; 2 R include_shell server.port"},
    /* systemd, JSON, YAML, XML, shell */
    {"[Service]\nExecStart=-/usr/sbin/x $A \\\n  -f /etc/x\nConditionPathExists=|/y\n",
     "1 W  Service; 2 C execstart /usr/sbin/x $A     -f /etc/x; 2 P execstart /usr/sbin/x; 2 W "
     "execstart $A; 3 P execstart /etc/x; 4 P conditionpathexists /y"},
    {"{\"paths\": [\"/opt/a\",\n\"b\\/c.js\"], \"cmd\":\"/x/y -a\", \"n\": 5, \"e\": \"\\/z/y\"}",
     "1 P paths /opt/a; 2 R paths b/c.js; 2 C cmd /x/y -a; 2 P cmd /x/y -a; 2 P cmd /x/y; 2 P e "
     "/z/y"},
    {"web:\n  command: [\"/bin/web\", \"-p\"]\n  volumes:\n    - /srv/d:/data:ro\n  user: a:b # "
     "c\n",
     "2 C command /bin/web; 2 P command /bin/web; 4 P volumes /srv/d:/data:ro; 4 P volumes /srv/d; "
     "4 P volumes /data; 5 W user a; 5 W user b"},
    {"<f><dir prefix=\"xdg\">fonts</dir><!-- <dir>/no</dir> --><dir>/usr/f</dir></f>",
     "1 W prefix xdg; 1 W dir fonts; 1 P dir /usr/f"},
    {"export PATH=/usr/bin:/bin\nHOME=$X/y\nURL=file:///etc/z\nOPTS=\"-I/inc -f /g\"",
     "1 P path /usr/bin:/bin; 1 P path /usr/bin; 1 P path /bin; 2 P home $X/y; 3 P url /etc/z; 4 P "
     "opts /inc; 4 P opts /g"},
    /* What is none. */
    {"a 10.0.0.1/8 1.5 30s 0644 [::1]:80 -x --y / .. - \\.x$ ^/a|b ~ don't", ""},
    {"", ""},
    {"\n\n  \n", ""},
    {"k \"/open", "1 P k /open"},
    {"k /a/*/b[0-9]?.c '/a/*'", "1 P* k /a/*/b[0-9]?.c; 1 P k /a/*"},
    {"k /* /a", "1 P k /a"},
};

static void test_keys(void)
{
	static const char *const runs[] = {"archive_command", "proxycommand", "execstart", "argv",
					   "include_shell",   "notify_master"};
	static const char *const runs_not[] = {"rename-command", "user-agent", "description", "",
					       "user"};
	static const char *const prefixes[] = {"serverroot", "directory",	"root",
					       "basedir",    "queue_directory", "chdir"};
	static const char *const accounts[] = {"user",		 "group",  "listen.owner",
					       "mail_owner",	 "run_as", "allowgroups",
					       "server.username"};

	for (size_t i = 0; i < ARRAY_LEN(runs); i++)
		CHECK(token_key_runs(runs[i]));
	for (size_t i = 0; i < ARRAY_LEN(runs_not); i++)
		CHECK(!token_key_runs(runs_not[i]));
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		CHECK(token_key_prefix(prefixes[i]));
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
		CHECK(token_key_account(accounts[i]));
	CHECK(!token_key_prefix("include"));
	CHECK(!token_key_account("include"));
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		CHECK_STR(found(texts[i].text, 1000), texts[i].want);
	CHECK_STR(found("a b c d e f", 2), "1 W a b; 1 W a c");
	CHECK_STR(found("a b", 0), "");
	test_keys();
	return check_done("tokens");
}
