// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

/// The functions of libc that are wrapped: the only list, from which the wrappers, the kinds of
/// calls and their names are made.
///
/// In CALL(kind, result, parameters, arguments) the symbol has the name of the kind. ALSO(kind,
/// symbol, result, parameters, arguments) adds a symbol to a kind: programs that are built for
/// large files or with _FORTIFY_SOURCE call it. Pointers that the shim never dereferences are
/// void*. Variadic functions have as many parameters as they ever take: where Linux runs, arguments
/// that were not passed are registers or stack, which can be read all the same.
///
/// Not seen, in an upgrade of docs/examples/http_server compared with strace(1): memory (mmap,
/// munmap, mprotect, madvise, brk), threads (clone3, futex, rseq, set_robust_list, exit), what the
/// loader does before all of that (openat, read, close, fstat, access), exit_group at the end of
/// main, rt_sigreturn, rt_sigpending, getrandom, geteuid, getpid, prlimit64; calls within libc:
/// stdio, getaddrinfo; and system calls made without libc: those of the child that `os/child_spawn`
/// clones, up to its exec (rt_sigaction, rt_sigprocmask, close_range, chdir, execve). For 64-bit
/// systems.
// clang-format off
#define GRACEFUL_SHIM_CALLS(CALL, ALSO) \
  CALL(socket, int, (int a, int b, int c), (a, b, c)) \
  CALL(socketpair, int, (int a, int b, int c, int* d), (a, b, c, d)) \
  CALL(bind, int, (int a, const void* b, socklen_t c), (a, b, c)) \
  CALL(listen, int, (int a, int b), (a, b)) \
  CALL(connect, int, (int a, const void* b, socklen_t c), (a, b, c)) \
  CALL(accept, int, (int a, void* b, void* c), (a, b, c)) \
  CALL(accept4, int, (int a, void* b, void* c, int d), (a, b, c, d)) \
  CALL(close, int, (int a), (a)) \
  CALL(close_range, int, (unsigned a, unsigned b, int c), (a, b, c)) \
  CALL(shutdown, int, (int a, int b), (a, b)) \
  CALL(dup, int, (int a), (a)) \
  CALL(dup2, int, (int a, int b), (a, b)) \
  CALL(dup3, int, (int a, int b, int c), (a, b, c)) \
  CALL(fcntl, int, (int a, int b, void* c), (a, b, c)) \
  ALSO(fcntl, fcntl64, int, (int a, int b, void* c), (a, b, c)) \
  CALL(ioctl, int, (int a, unsigned long b, void* c), (a, b, c)) \
  CALL(read, ssize_t, (int a, void* b, size_t c), (a, b, c)) \
  ALSO(read, __read_chk, ssize_t, (int a, void* b, size_t c, size_t d), (a, b, c, d)) \
  CALL(readv, ssize_t, (int a, const iovec* b, int c), (a, b, c)) \
  CALL(pread, ssize_t, (int a, void* b, size_t c, off_t d), (a, b, c, d)) \
  ALSO(pread, pread64, ssize_t, (int a, void* b, size_t c, off64_t d), (a, b, c, d)) \
  CALL(write, ssize_t, (int a, const void* b, size_t c), (a, b, c)) \
  CALL(writev, ssize_t, (int a, const iovec* b, int c), (a, b, c)) \
  CALL(pwrite, ssize_t, (int a, const void* b, size_t c, off_t d), (a, b, c, d)) \
  ALSO(pwrite, pwrite64, ssize_t, (int a, const void* b, size_t c, off64_t d), (a, b, c, d)) \
  CALL(send, ssize_t, (int a, const void* b, size_t c, int d), (a, b, c, d)) \
  CALL(sendto, ssize_t, (int a, const void* b, size_t c, int d, const void* e, socklen_t f), (a, b, c, d, e, f)) \
  CALL(sendmsg, ssize_t, (int a, const msghdr* b, int c), (a, b, c)) \
  CALL(sendmmsg, int, (int a, void* b, unsigned c, int d), (a, b, c, d)) \
  CALL(sendfile, ssize_t, (int a, int b, void* c, size_t d), (a, b, c, d)) \
  ALSO(sendfile, sendfile64, ssize_t, (int a, int b, void* c, size_t d), (a, b, c, d)) \
  CALL(splice, ssize_t, (int a, void* b, int c, void* d, size_t e, unsigned f), (a, b, c, d, e, f)) \
  CALL(recv, ssize_t, (int a, void* b, size_t c, int d), (a, b, c, d)) \
  ALSO(recv, __recv_chk, ssize_t, (int a, void* b, size_t c, size_t d, int e), (a, b, c, d, e)) \
  CALL(recvfrom, ssize_t, (int a, void* b, size_t c, int d, void* e, void* f), (a, b, c, d, e, f)) \
  ALSO(recvfrom, __recvfrom_chk, ssize_t, (int a, void* b, size_t c, size_t d, int e, void* f, void* g), (a, b, c, d, e, f, g)) \
  CALL(recvmsg, ssize_t, (int a, msghdr* b, int c), (a, b, c)) \
  CALL(recvmmsg, int, (int a, void* b, unsigned c, int d, void* e), (a, b, c, d, e)) \
  CALL(epoll_create, int, (int a), (a)) \
  CALL(epoll_create1, int, (int a), (a)) \
  CALL(epoll_ctl, int, (int a, int b, int c, void* d), (a, b, c, d)) \
  CALL(epoll_wait, int, (int a, void* b, int c, int d), (a, b, c, d)) \
  CALL(epoll_pwait, int, (int a, void* b, int c, int d, const void* e), (a, b, c, d, e)) \
  CALL(epoll_pwait2, int, (int a, void* b, int c, const void* d, const void* e), (a, b, c, d, e)) \
  CALL(poll, int, (void* a, nfds_t b, int c), (a, b, c)) \
  ALSO(poll, __poll_chk, int, (void* a, nfds_t b, int c, size_t d), (a, b, c, d)) \
  CALL(ppoll, int, (void* a, nfds_t b, const void* c, const void* d), (a, b, c, d)) \
  ALSO(ppoll, __ppoll_chk, int, (void* a, nfds_t b, const void* c, const void* d, size_t e), (a, b, c, d, e)) \
  CALL(select, int, (int a, void* b, void* c, void* d, void* e), (a, b, c, d, e)) \
  CALL(pselect, int, (int a, void* b, void* c, void* d, const void* e, const void* f), (a, b, c, d, e, f)) \
  CALL(open, int, (const char* a, int b, mode_t c), (a, b, c)) \
  ALSO(open, open64, int, (const char* a, int b, mode_t c), (a, b, c)) \
  ALSO(open, __open_2, int, (const char* a, int b), (a, b)) \
  ALSO(open, __open64_2, int, (const char* a, int b), (a, b)) \
  CALL(openat, int, (int a, const char* b, int c, mode_t d), (a, b, c, d)) \
  ALSO(openat, openat64, int, (int a, const char* b, int c, mode_t d), (a, b, c, d)) \
  ALSO(openat, __openat_2, int, (int a, const char* b, int c), (a, b, c)) \
  ALSO(openat, __openat64_2, int, (int a, const char* b, int c), (a, b, c)) \
  CALL(stat, int, (const char* a, void* b), (a, b)) \
  ALSO(stat, stat64, int, (const char* a, void* b), (a, b)) \
  CALL(lstat, int, (const char* a, void* b), (a, b)) \
  ALSO(lstat, lstat64, int, (const char* a, void* b), (a, b)) \
  CALL(fstat, int, (int a, void* b), (a, b)) \
  ALSO(fstat, fstat64, int, (int a, void* b), (a, b)) \
  CALL(fstatat, int, (int a, const char* b, void* c, int d), (a, b, c, d)) \
  ALSO(fstatat, fstatat64, int, (int a, const char* b, void* c, int d), (a, b, c, d)) \
  CALL(statx, int, (int a, const char* b, int c, unsigned d, void* e), (a, b, c, d, e)) \
  CALL(access, int, (const char* a, int b), (a, b)) \
  CALL(faccessat, int, (int a, const char* b, int c, int d), (a, b, c, d)) \
  CALL(readlink, ssize_t, (const char* a, char* b, size_t c), (a, b, c)) \
  ALSO(readlink, __readlink_chk, ssize_t, (const char* a, char* b, size_t c, size_t d), (a, b, c, d)) \
  CALL(getcwd, char*, (char* a, size_t b), (a, b)) \
  ALSO(getcwd, __getcwd_chk, char*, (char* a, size_t b, size_t c), (a, b, c)) \
  CALL(chdir, int, (const char* a), (a)) \
  CALL(mkdir, int, (const char* a, mode_t b), (a, b)) \
  CALL(rmdir, int, (const char* a), (a)) \
  CALL(unlink, int, (const char* a), (a)) \
  CALL(unlinkat, int, (int a, const char* b, int c), (a, b, c)) \
  CALL(rename, int, (const char* a, const char* b), (a, b)) \
  CALL(renameat, int, (int a, const char* b, int c, const char* d), (a, b, c, d)) \
  CALL(link, int, (const char* a, const char* b), (a, b)) \
  CALL(symlink, int, (const char* a, const char* b), (a, b)) \
  CALL(chmod, int, (const char* a, mode_t b), (a, b)) \
  CALL(fchmod, int, (int a, mode_t b), (a, b)) \
  CALL(chown, int, (const char* a, uid_t b, gid_t c), (a, b, c)) \
  CALL(fchown, int, (int a, uid_t b, gid_t c), (a, b, c)) \
  CALL(ftruncate, int, (int a, off_t b), (a, b)) \
  ALSO(ftruncate, ftruncate64, int, (int a, off64_t b), (a, b)) \
  CALL(fsync, int, (int a), (a)) \
  CALL(fdatasync, int, (int a), (a)) \
  CALL(flock, int, (int a, int b), (a, b)) \
  CALL(getsockname, int, (int a, void* b, void* c), (a, b, c)) \
  CALL(getpeername, int, (int a, void* b, void* c), (a, b, c)) \
  CALL(getsockopt, int, (int a, int b, int c, void* d, void* e), (a, b, c, d, e)) \
  CALL(setsockopt, int, (int a, int b, int c, const void* d, socklen_t e), (a, b, c, d, e)) \
  CALL(eventfd, int, (unsigned a, int b), (a, b)) \
  CALL(signalfd, int, (int a, const void* b, int c), (a, b, c)) \
  CALL(timerfd_create, int, (int a, int b), (a, b)) \
  CALL(timerfd_settime, int, (int a, int b, const void* c, void* d), (a, b, c, d)) \
  CALL(memfd_create, int, (const char* a, unsigned b), (a, b)) \
  CALL(pipe, int, (int* a), (a)) \
  CALL(pipe2, int, (int* a, int b), (a, b)) \
  CALL(posix_spawn, int, (pid_t* a, const char* b, const void* c, const void* d, char* const* e, char* const* f), (a, b, c, d, e, f)) \
  CALL(posix_spawnp, int, (pid_t* a, const char* b, const void* c, const void* d, char* const* e, char* const* f), (a, b, c, d, e, f)) \
  CALL(fork, pid_t, (), ()) \
  CALL(clone, int, (int (*a)(void*), void* b, int c, void* d, void* e, void* f, void* g), (a, b, c, d, e, f, g)) \
  ALSO(clone, __clone, int, (int (*a)(void*), void* b, int c, void* d, void* e, void* f, void* g), (a, b, c, d, e, f, g)) \
  CALL(execve, int, (const char* a, char* const* b, char* const* c), (a, b, c)) \
  ALSO(execve, execv, int, (const char* a, char* const* b), (a, b)) \
  ALSO(execve, execvp, int, (const char* a, char* const* b), (a, b)) \
  ALSO(execve, execvpe, int, (const char* a, char* const* b, char* const* c), (a, b, c)) \
  CALL(wait, pid_t, (int* a), (a)) \
  CALL(waitpid, pid_t, (pid_t a, int* b, int c), (a, b, c)) \
  CALL(waitid, int, (int a, id_t b, void* c, int d), (a, b, c, d)) \
  CALL(kill, int, (pid_t a, int b), (a, b)) \
  CALL(pidfd_open, int, (pid_t a, unsigned b), (a, b)) \
  CALL(pidfd_send_signal, int, (int a, int b, void* c, unsigned d), (a, b, c, d)) \
  CALL(syscall, long, (long a, long b, long c, long d, long e, long f, long g), (a, b, c, d, e, f, g)) \
  CALL(prctl, int, (int a, unsigned long b, unsigned long c, unsigned long d, unsigned long e), (a, b, c, d, e)) \
  CALL(sigaction, int, (int a, const void* b, void* c), (a, b, c)) \
  CALL(sigprocmask, int, (int a, const void* b, void* c), (a, b, c)) \
  ALSO(sigprocmask, pthread_sigmask, int, (int a, const void* b, void* c), (a, b, c)) \
  CALL(sigtimedwait, int, (const void* a, void* b, const void* c), (a, b, c)) \
  CALL(setuid, int, (uid_t a), (a)) \
  CALL(setgid, int, (gid_t a), (a)) \
  CALL(setrlimit, int, (int a, const void* b), (a, b)) \
  ALSO(setrlimit, setrlimit64, int, (int a, const void* b), (a, b)) \
  CALL(nanosleep, int, (const void* a, void* b), (a, b)) \
  CALL(clock_nanosleep, int, (clockid_t a, int b, const void* c, void* d), (a, b, c, d)) \
  CALL(exit, void, (int a), (a)) \
  ALSO(exit, _exit, void, (int a), (a)) \
  ALSO(exit, _Exit, void, (int a), (a))
// clang-format on
