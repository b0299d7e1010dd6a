// The first process of a sandbox: it keeps the namespaces until it is told to end.
#include <signal.h>
#include <unistd.h>

static void end(int number) {
    (void)number;
    _exit(0);
}

int main(void) {
    // Without a handler the first process of a process namespace gets no signal from inside (pid_namespaces(7)).
    signal(SIGTERM, end);
    signal(SIGINT, end);
    for (;;) {
        pause();
    }
}
