#define _GNU_SOURCE
#include "CLinuxKernel.h"

// All that the handler may touch: it runs at any instruction, with any lock held.
static const char *volatile crash_message;
static volatile size_t crash_message_length;
static volatile int crash_status;
static unsigned char alternate_stack[16384];

static void on_crash(int signal_number) {
    (void)signal_number;
    const char *rest = crash_message;
    size_t length = crash_message_length;
    while (length > 0) {
        ssize_t count = write(STDOUT_FILENO, rest, length);
        if (count == -1 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        rest += count;
        length -= (size_t)count;
    }
    _exit(crash_status);
}

int c_linux_answer_crashes(const unsigned char *message, size_t length, int status) {
    char *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL) {
        return -1;
    }
    memcpy(copy, message, length);
    // The earlier message is never freed: a crash just now might be reading it.
    crash_message_length = 0;
    crash_message = copy;
    crash_message_length = length;
    crash_status = status;

    // On the usual stack the handler could not run after that one has overflowed.
    stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    if (sigaltstack(&stack, NULL) == -1) {
        return -1;
    }
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    const int signals[] = {SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGFPE};
    for (size_t index = 0; index < sizeof signals / sizeof signals[0]; index++) {
        if (sigaction(signals[index], &action, NULL) == -1) {
            return -1;
        }
    }
    return 0;
}

int c_linux_ignore_broken_pipes(void) {
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
}
