/* A worker that follows a pointer out of its memory: exit 139 and not a word about it. */
#include <stdio.h>
#include <unistd.h>

struct job { int id; const char *name; };

static int run(const struct job *job) { return job->id; }

int main(void) {
	struct job *volatile next = NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("worker started, pid %d\n", (int)getpid());
	for (int i = 1; i <= 3; i++)
		printf("job %d done\n", i);
	sleep(1);
	return run(next);
}
