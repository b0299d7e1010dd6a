// FileFaults DIRECTORY NUMBER [ERRNO[+]] -- PROGRAM ARGUMENTS...
//
// Runs a program, and counts what it and its children ask of the file system below DIRECTORY, over all threads in the
// order in which it happens. Just before the NUMBER-th operation it kills the program; with an ERRNO that operation
// fails instead, and with `+` all later ones too. 0 only counts. The last line on standard error is `operations: COUNT`;
// the status is the program's, or 128 and the signal.
//
// strace(1) counts by call and by thread, so that "the third operation" cannot be said to it. Here seccomp stops each
// call of the table (seccomp(2), SECCOMP_RET_TRACE), and ptrace(2) judges it by its path.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
int main(void) {
    fputs("FileFaults reads the registers of x86_64 only\n", stderr);
    return 2;
}
#else

// Where a call names its file: in a path, a path below a directory's descriptor, or a descriptor.
enum place { PATH, PATH_AT, NEW_PATH_AT, DESCRIPTOR };

struct call {
    int number;
    const char *name;
    enum place place;
};

static const struct call calls[] = {
    {SYS_open, "open", PATH},
    {SYS_openat, "openat", PATH_AT},
    {SYS_rename, "rename", PATH},
    {SYS_renameat, "renameat", PATH_AT},
    {SYS_renameat2, "renameat2", PATH_AT},
    {SYS_unlink, "unlink", PATH},
    {SYS_unlinkat, "unlinkat", PATH_AT},
    {SYS_link, "link", PATH},
    {SYS_linkat, "linkat", NEW_PATH_AT},
    {SYS_mkdir, "mkdir", PATH},
    {SYS_chmod, "chmod", PATH},
    {SYS_fchmodat, "fchmodat", PATH_AT},
    {SYS_fchmod, "fchmod", DESCRIPTOR},
    {SYS_ftruncate, "ftruncate", DESCRIPTOR},
    {SYS_fallocate, "fallocate", DESCRIPTOR},
    {SYS_write, "write", DESCRIPTOR},
    {SYS_pwrite64, "pwrite64", DESCRIPTOR},
    {SYS_writev, "writev", DESCRIPTOR},
    {SYS_fsync, "fsync", DESCRIPTOR},
    {SYS_fdatasync, "fdatasync", DESCRIPTOR},
};

enum { CALLS = sizeof calls / sizeof *calls, LONGEST_PATH = 4096 };

// What was asked for on the command line.
static char directory[LONGEST_PATH];
static long fault_at;
static int fault_errno;
static int stays_broken;

static long seen;

static void read_text(pid_t process, unsigned long address, char *text, size_t size) {
    struct iovec local = {text, size - 1}, remote = {(void *)address, size - 1};
    ssize_t count;
    // A path near the end of a page cannot be read in full length.
    while ((count = process_vm_readv(process, &local, 1, &remote, 1, 0)) < 0 && remote.iov_len > 64)
        local.iov_len = remote.iov_len /= 2;
    text[count < 0 ? 0 : count] = 0;
}

static void read_descriptor(pid_t process, int descriptor, char *text, size_t size) {
    char link[64];
    if (descriptor == AT_FDCWD) snprintf(link, sizeof link, "/proc/%d/cwd", process);
    else snprintf(link, sizeof link, "/proc/%d/fd/%d", process, descriptor);
    ssize_t count = readlink(link, text, size - 1);
    text[count < 0 ? 0 : count] = 0;
}

static int is_below(pid_t process, const struct call *call, const struct user_regs_struct *registers) {
    char base[LONGEST_PATH], rest[LONGEST_PATH] = "", path[2 * LONGEST_PATH];
    int descriptor = AT_FDCWD;
    unsigned long text = 0;
    switch (call->place) {
        case PATH: text = registers->rdi; break;
        case PATH_AT: descriptor = registers->rdi; text = registers->rsi; break;
        case NEW_PATH_AT: descriptor = registers->rdx; text = registers->r10; break;
        case DESCRIPTOR: descriptor = registers->rdi; break;
    }
    read_descriptor(process, descriptor, base, sizeof base);
    if (text) read_text(process, text, rest, sizeof rest);
    if (rest[0] == '/') snprintf(path, sizeof path, "%s", rest);
    else snprintf(path, sizeof path, "%s/%s", base, rest);
    return strncmp(path, directory, strlen(directory)) == 0;
}

// A full disk lets files go and be read; one that is read-only lets them be read.
static int can_fail(const struct call *call, const struct user_regs_struct *registers) {
    int flags = call->number == SYS_open ? registers->rsi : registers->rdx;
    if (call->number == SYS_open || call->number == SYS_openat)
        return (flags & O_ACCMODE) != O_RDONLY;
    if (fault_errno != ENOSPC) return 1;
    return call->number != SYS_unlink && call->number != SYS_unlinkat && call->number != SYS_fchmod;
}

static void judge(pid_t thread, pid_t program) {
    struct user_regs_struct registers;
    ptrace(PTRACE_GETREGS, thread, 0, &registers);
    const struct call *call = NULL;
    for (int i = 0; i < CALLS; i++)
        if (calls[i].number == (int)registers.orig_rax) call = &calls[i];
    if (!call || !is_below(thread, call, &registers)) return;
    if (fault_errno && !can_fail(call, &registers)) return;
    seen++;
    if (!fault_at || (seen != fault_at && !(stays_broken && seen > fault_at))) return;
    if (!fault_errno) {
        kill(program, SIGKILL);
        return;
    }
    // No call has this number, so nothing happens, and what it returns is ours to say.
    registers.orig_rax = -1;
    registers.rax = -fault_errno;
    ptrace(PTRACE_SETREGS, thread, 0, &registers);
}

static void start(char **arguments) {
    struct sock_filter filter[CALLS + 3];
    int count = 0;
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < CALLS; i++)
        filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, CALLS - i, 0);
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    struct sock_fprog program = {count, filter};
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) perror("seccomp");
    else execvp(arguments[0], arguments), perror(arguments[0]);
    _exit(2);
}

int main(int count, char **arguments) {
    int rest = 3;
    if (count < 5 || !realpath(arguments[1], directory)) {
        fputs("usage: FileFaults DIRECTORY NUMBER [ERRNO[+]] -- PROGRAM ARGUMENTS...\n", stderr);
        return 2;
    }
    fault_at = atol(arguments[2]);
    if (strcmp(arguments[rest], "--")) {
        fault_errno = atoi(arguments[rest]);
        stays_broken = strchr(arguments[rest++], '+') != NULL;
    }

    pid_t program = fork();
    if (!program) start(arguments + rest + 1);
    int status, result = 0;
    waitpid(program, &status, 0);
    ptrace(PTRACE_SETOPTIONS, program, 0,
        PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, program, 0, 0);
    for (pid_t thread; (thread = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (thread == program) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int signal = WSTOPSIG(status), event = status >> 16;
        if (event == PTRACE_EVENT_SECCOMP) judge(thread, program);
        if (event || signal == SIGSTOP || signal == SIGTRAP) signal = 0;
        ptrace(PTRACE_CONT, thread, 0, signal);
    }
    fprintf(stderr, "operations: %ld\n", seen);
    return result;
}
#endif
