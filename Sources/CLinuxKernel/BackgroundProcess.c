#define _GNU_SOURCE
#include "CLinuxKernel.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

// As in ChildProcess.c, only async-signal-safe calls between fork and exec.
static void fail(const struct c_linux_background_request *request, int step) {
    int message[2] = {step, errno};
    // If even this fails, the parent sees the exit status.
    ssize_t ignored = write(request->report, message, sizeof message);
    (void)ignored;
    _exit(127);
}

// Makes namespaces, tells the parent, and waits until it has written the maps of user ids.
static void make_namespaces(const struct c_linux_background_request *request) {
    char byte = 0;
    if (unshare(request->new_namespaces) == -1) {
        fail(request, C_LINUX_BACKGROUND_NAMESPACES);
    }
    if (write(request->made, &byte, 1) != 1 || read(request->mapped, &byte, 1) != 1) {
        fail(request, C_LINUX_BACKGROUND_NAMESPACES);
    }
    if (!(request->new_namespaces & CLONE_NEWNS)) {
        return;
    }
    // Else what is mounted here would be seen outside (mount_namespaces(7)).
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1
        || mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") == -1) {
        fail(request, C_LINUX_BACKGROUND_MOUNTS);
    }
}

// Another user than 0 loses its capabilities at exec, unless they are ambient (capabilities(7)).
static int keep_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) == -1) {
        return -1;
    }
    for (int index = 0; index < 2; index++) {
        sets[index].effective = sets[index].permitted;
        sets[index].inheritable = sets[index].permitted;
    }
    if (syscall(SYS_capset, &header, sets) == -1) {
        return -1;
    }
    for (int capability = 0; capability < 64; capability++) {
        unsigned int bit = 1U << (capability % 32);
        if ((sets[capability / 32].permitted & bit)
            && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == -1) {
            return -1;
        }
    }
    return 0;
}

static void become(const struct c_linux_background_request *request) {
    if (request->changes_user) {
        if ((request->keeps_capabilities && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1) || setgroups(0, NULL) == -1
            || setresgid(request->group, request->group, request->group) == -1
            || setresuid(request->user, request->user, request->user) == -1) {
            fail(request, C_LINUX_BACKGROUND_USER);
        }
    }
    if (request->keeps_capabilities && keep_capabilities() == -1) {
        fail(request, C_LINUX_BACKGROUND_USER);
    }
}

int c_linux_start_background(const struct c_linux_background_request *request) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0) {
        return child;
    }
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) == -1 || signal(SIGPIPE, SIG_DFL) == SIG_ERR
        || dup2(request->standard_input, 0) == -1 || dup2(request->standard_output, 1) == -1
        || dup2(request->standard_error, 2) == -1) {
        fail(request, C_LINUX_BACKGROUND_PREPARE);
    }
    if (request->new_namespaces != 0) {
        make_namespaces(request);
    }
    if (request->network_namespace != -1 && setns(request->network_namespace, CLONE_NEWNET) == -1) {
        fail(request, C_LINUX_BACKGROUND_NAMESPACES);
    }
    become(request);
    // After the change of user, which clears it (prctl(2)). A parent that has ended by now is noticed by its id.
    if (request->ends_with_parent
        && (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 || getppid() != parent)) {
        fail(request, C_LINUX_BACKGROUND_PREPARE);
    }
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    // A script fails here with ENOENT, since its interpreter could not open what closes at exec (execveat(2)).
    if (request->program != -1) {
        syscall(SYS_execveat, request->program, "", request->arguments, request->environment, AT_EMPTY_PATH);
    }
    execve(request->arguments[0], request->arguments, request->environment);
    fail(request, C_LINUX_BACKGROUND_EXECUTE);
    return -1;
}
