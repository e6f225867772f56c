"""The system calls that an engine needs or must not make, with the numbers that Linux gives them for good.

A line is a name, its number on x86-64 (`asm/unistd_64.h`) and on 64-bit ARM (`asm-generic/unistd.h`); a dash says
that there is no such call.
"""

import platform
import struct
from dataclasses import dataclass
from typing import Final

NEEDED: Final = """
    read 0 63                   pread64 17 67               readv 19 65                 preadv 295 69
    write 1 64                  pwrite64 18 68              writev 20 66                lseek 8 62
    close 3 57                  close_range 436 436         dup 32 23                   dup2 33 -
    dup3 292 24                 fstat 5 80                  stat 4 -                    lstat 6 -
    newfstatat 262 79           statx 332 291               statfs 137 43               fstatfs 138 44
    access 21 -                 faccessat 269 48            faccessat2 439 439          readlink 89 -
    readlinkat 267 78           getdents64 217 61           getcwd 79 17                fadvise64 221 223
    readahead 187 213

    brk 12 214                  munmap 11 215               mremap 25 216               mprotect 10 226
    madvise 28 233              mincore 27 232              msync 26 227                membarrier 324 283

    futex 202 98                set_robust_list 273 99      get_robust_list 274 100     rseq 334 293
    set_tid_address 218 96      gettid 186 178              getpid 39 172               getppid 110 173
    sched_yield 24 124          sched_getaffinity 204 123   sched_getparam 143 121      sched_getscheduler 145 120
    sched_get_priority_max 146 125                          sched_get_priority_min 147 126
    getcpu 309 168              getpriority 140 141         arch_prctl 158 -            exit 60 93
    exit_group 231 94

    rt_sigaction 13 134         rt_sigprocmask 14 135       rt_sigreturn 15 139         rt_sigpending 127 136
    rt_sigtimedwait 128 137     rt_sigsuspend 130 133       sigaltstack 131 132         restart_syscall 219 128
    pause 34 -                  clock_gettime 228 113       clock_getres 229 114        clock_nanosleep 230 115
    nanosleep 35 101            gettimeofday 96 169         time 201 -                  times 100 153

    poll 7 -                    ppoll 271 73                select 23 -                 pselect6 270 72
    epoll_create1 291 20        epoll_ctl 233 21            epoll_wait 232 -            epoll_pwait 281 22
    eventfd2 290 19             pipe2 293 59                recvfrom 45 207             recvmsg 47 212
    sendto 44 206               shutdown 48 210             getsockopt 55 209           getsockname 51 204

    getuid 102 174              geteuid 107 175             getgid 104 176              getegid 108 177
    getresuid 118 148           getresgid 120 150           getgroups 115 158           getpgrp 111 -
    getpgid 121 155             getsid 124 156              capget 125 90               uname 63 160
    sysinfo 99 179              getrusage 98 165            getrlimit 97 163            getrandom 318 278
"""
# Whether an engine may make these depends on what it asks for.
CONDITIONAL: Final = """
    open 2 -                    openat 257 56               mmap 9 222                  clone 56 220
    fcntl 72 25                 ioctl 16 29                 prctl 157 167               prlimit64 302 261
    setpriority 141 140         kill 62 129                 tgkill 234 131
"""
# No library tries these in the process that decodes: an engine that does was taken over.
DEADLY: Final = """
    execve 59 221               execveat 322 281            ptrace 101 117
    process_vm_readv 310 270    process_vm_writev 311 271
"""
SETUP: Final = """
    seccomp 317 277             capset 126 91
    landlock_create_ruleset 444 444                         landlock_add_rule 445 445
    landlock_restrict_self 446 446
"""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A processor as the kernel tells it: its number in `linux/audit.h`, and which column of the tables is its own."""

    audit_number: int
    column: int

    def numbers(self, table: str) -> dict[str, int]:
        """Give the numbers of the calls in a table that this processor has."""
        words = table.split()
        rows = (words[at : at + 3] for at in range(0, len(words), 3))
        return {row[0]: int(row[self.column]) for row in rows if row[self.column] != "-"}


_ARCHITECTURES: Final = {"x86_64": Architecture(0xC000003E, 1), "aarch64": Architecture(0xC00000B7, 2)}


def architecture() -> Architecture | None:
    """Give this processor, or None when its numbers are not known here."""
    is_64_bit = struct.calcsize("P") == 8
    return _ARCHITECTURES.get(platform.machine()) if is_64_bit else None
