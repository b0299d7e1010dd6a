#define _GNU_SOURCE
#include "CLinuxKernel.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

// Between fork and exec only async-signal-safe calls are allowed (signal-safety(7)), and Swift code may
// allocate anywhere: hence C. A step that fails writes its number and errno to `report`, which closes
// by itself when exec succeeds.
static void fail(int report, int step) {
    int message[2] = {step, errno};
    // If even this fails, the parent sees the exit status.
    ssize_t ignored = write(report, message, sizeof message);
    (void)ignored;
    _exit(127);
}

int c_linux_spawn(const struct c_linux_spawn_request *request) {
    pid_t child = fork();
    if (child != 0) {
        return child;
    }
    // A group of its own, so that the deadline ends what the program has started as well.
    if (setpgid(0, 0) == -1) {
        fail(request->report, C_LINUX_SPAWN_PREPARE);
    }
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) == -1 || signal(SIGPIPE, SIG_DFL) == SIG_ERR) {
        fail(request->report, C_LINUX_SPAWN_PREPARE);
    }
    if (dup2(request->standard_input, 0) == -1 || dup2(request->standard_output, 1) == -1
        || dup2(request->standard_error, 2) == -1) {
        fail(request->report, C_LINUX_SPAWN_PREPARE);
    }
    // Who is not mapped in there loses every right at exec; root is mapped in a pod's (user_namespaces(7)).
    if (request->user_namespace != -1
        && (setns(request->user_namespace, CLONE_NEWUSER) == -1 || setgid(0) == -1 || setuid(0) == -1)) {
        fail(request->report, C_LINUX_SPAWN_USER_NAMESPACE);
    }
    if (request->network_namespace != -1 && setns(request->network_namespace, CLONE_NEWNET) == -1) {
        fail(request->report, C_LINUX_SPAWN_NETWORK_NAMESPACE);
    }
    // Our own descriptors close by themselves; this is for those that came with the process. Kernels
    // before 5.11 refuse, and the child then keeps what the caller has kept.
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    // A lock on the namespace lasts as long as what works in it, even when the parent is killed.
    if (request->network_namespace != -1 && fcntl(request->network_namespace, F_SETFD, 0) == -1) {
        fail(request->report, C_LINUX_SPAWN_PREPARE);
    }
    // Nobody else would keep the deadline then. After `setns`, which would take this back (prctl(2)).
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) {
        fail(request->report, C_LINUX_SPAWN_PREPARE);
    }
    execve(request->arguments[0], request->arguments, request->environment);
    fail(request->report, C_LINUX_SPAWN_EXECUTE);
    return -1;
}

int c_linux_wait(int child, int *exit_status, int *signal_number) {
    int status;
    pid_t result = waitpid(child, &status, WNOHANG);
    if (result <= 0) {
        return result;
    }
    *exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    *signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return 1;
}
