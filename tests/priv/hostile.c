/* SPDX-License-Identifier: MIT */
/* usage: hostile attack|storm|linger SECONDS DIR SENTINEL
 *
 * What a service that wants out could do to the supervisor that writes into its root: everything
 * here races with a fault. DIR holds d0 ... d15 with files f0 ... f31 each; SENTINEL is a directory
 * that must not change. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DIRS  16
#define FILES 32

static const char *dir, *sentinel;
static time_t end;
static unsigned long done[16];

static int going(void)
{
	return time(NULL) < end;
}

static void name(char *buf, const char *word, int i)
{
	snprintf(buf, 64, "%s%d", word, i % DIRS);
}

static void place_link(const char *at, int i)
{
	const char *const targets[] = {
	    "/", sentinel, "../../../../../../..", "/proc/self/root", "/etc", "/proc/self/cwd",
	    ".", "/dev"};

	if (symlink(targets[(unsigned)i % 8], at) == 0)
		done[0]++;
}

/* A directory becomes a link and a directory again, under the supervisor's feet. */
static void *swap(void *arg)
{
	char d[64], aside[64];

	(void)arg;
	for (int i = 0; going(); i++) {
		name(d, "d", i);
		name(aside, "aside", i);
		if (rename(d, aside) < 0)
			continue;
		place_link(d, i);
		sched_yield();
		unlink(d);
		rename(aside, d);
	}
	return NULL;
}

/* Faults, all over the place. */
static void *fault(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;
	char path[128];
	struct stat st;

	while (going()) {
		int d = rand_r(&seed) % DIRS, f = rand_r(&seed) % FILES;
		snprintf(path, sizeof(path), "d%d/f%d", d, f);
		int fd = open(path, rand_r(&seed) % 4 ? O_RDONLY : O_WRONLY);
		if (fd >= 0)
			close(fd);
		snprintf(path, sizeof(path), "d%d/sub/f%d", d, f);
		stat(path, &st);
		if (rand_r(&seed) % 8 == 0)
			unlink(path);
		done[1]++;
	}
	return NULL;
}

static char turning[256]; /* what a call names, while it names it */

static void *turn(void *arg)
{
	char one[256], two[256];

	(void)arg;
	snprintf(one, sizeof(one), "%s/d1/f1", dir);
	snprintf(two, sizeof(two), "%s/made", sentinel);
	while (going()) {
		memcpy(turning, one, sizeof(one));
		memcpy(turning, two, sizeof(two));
		memset(turning, 'x', sizeof(turning)); /* without an end */
	}
	return NULL;
}

static void *call_turning(void *arg)
{
	struct stat st;

	(void)arg;
	while (going()) {
		stat(turning, &st);
		int fd = open(turning, O_RDONLY);
		if (fd >= 0)
			close(fd);
		rename("d2/f2", turning);
		done[2]++;
	}
	return NULL;
}

static void *list(void *arg)
{
	char path[64];

	(void)arg;
	for (int i = 0; going(); i++) {
		name(path, "d", i);
		DIR *d = opendir(path);
		while (d && readdir(d))
			;
		if (d)
			closedir(d);
		snprintf(path, sizeof(path), "d%d/sub", i % DIRS);
		d = opendir(path);
		while (d && readdir(d))
			;
		if (d)
			closedir(d);
		done[3]++;
	}
	return NULL;
}

/* The parent of what is being faulted goes and comes. */
static void *remake(void *arg)
{
	char path[64];

	(void)arg;
	for (int i = 0; going(); i++) {
		snprintf(path, sizeof(path), "d%d/sub", i % DIRS);
		if (rename(path, "gone") == 0 || unlink(path) == 0) {
			if (i % 2)
				mkdir(path, 0777);
			else
				place_link(path, i);
		}
		rename("gone", "gone2");
		rmdir("gone2");
		done[4]++;
	}
	return NULL;
}

/* Children that die in the middle of a call. */
static void *kill_children(void *arg)
{
	char path[128];
	struct stat st;

	(void)arg;
	for (int i = 0; going(); i++) {
		pid_t pid = fork();
		if (pid == 0) {
			for (int k = 0;; k++) {
				snprintf(path, sizeof(path), "%s/d%d/f%d.%d", dir, k % DIRS, i, k);
				stat(path, &st);
			}
		}
		if (pid < 0)
			continue;
		usleep((unsigned)(i * 37) % 1000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		done[5]++;
	}
	return NULL;
}

/* With enough rights: mounts of its own, in the same mount namespace as the init's. */
static void *mounts(void *arg)
{
	(void)arg;
	mkdir("mnt", 0777);
	for (int i = 0; going(); i++) {
		char path[64];
		name(path, "d", i);
		if (mount("/", "mnt", NULL, MS_BIND | (i % 2 ? MS_REC : 0), NULL) == 0)
			done[6]++;
		if (i % 3 == 0)
			mount("tmpfs", path, "tmpfs", 0, NULL);
		usleep(1000);
		umount2("mnt", MNT_DETACH);
		umount2(path, MNT_DETACH);
	}
	return NULL;
}

static int attack(void)
{
	void *(*const all[])(void *) = {swap,	      swap, fault,  fault,	   fault, turn,
					call_turning, list, remake, kill_children, mounts};
	const size_t n = sizeof(all) / sizeof(all[0]);
	pthread_t id[16];

	for (size_t i = 0; i < n; i++)
		pthread_create(&id[i], NULL, all[i], (void *)(i + 1));
	for (size_t i = 0; i < n; i++)
		pthread_join(id[i], NULL);
	printf("links %lu, faults %lu, turned %lu, lists %lu, remade %lu, killed %lu, mounts %lu\n",
	       done[0], done[1], done[2], done[3], done[4], done[5], done[6]);
	return 0;
}

static void *stat_storm(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;
	char path[128];
	struct stat st;

	while (going()) {
		snprintf(path, sizeof(path), "%s/d%d/f%d", dir, rand_r(&seed) % DIRS,
			 rand_r(&seed) % FILES);
		if (stat(path, &st) < 0) {
			printf("%s: %m\n", path);
			exit(1);
		}
		done[7]++;
	}
	return NULL;
}

static void one_child(int i)
{
	char *argv[] = {strdup("/bin/true"), NULL};
	int status = 0;
	pid_t pid = i % 2 ? vfork() : fork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	free(argv[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		printf("child %d: %#x, %m\n", i, status);
		exit(1);
	}
}

/* Eight threads in stat(2) while the process forks, vforks and executes. */
static int storm(void)
{
	pthread_t id[8];
	int n = 0;

	for (size_t i = 0; i < 8; i++)
		pthread_create(&id[i], NULL, stat_storm, (void *)(i + 1));
	for (; going(); n++)
		one_child(n);
	for (size_t i = 0; i < 8; i++)
		pthread_join(id[i], NULL);
	printf("%d children\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 5 || chdir(argv[3]) < 0)
		return 2;
	end = time(NULL) + atoi(argv[2]);
	dir = argv[3];
	sentinel = argv[4];
	if (strcmp(argv[1], "attack") == 0)
		return attack();
	if (strcmp(argv[1], "linger") == 0 && fork() == 0)
		setsid();
	return storm();
}
