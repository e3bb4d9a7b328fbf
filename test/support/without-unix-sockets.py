"""Runs a command to which the kernel denies unix sockets, as systemd's RestrictAddressFamilies does.

python3 without-unix-sockets.py ERRNO COMMAND...
"""
import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
# By machine: the number of its calls as AUDIT_ARCH_ has it, and that of socket().
MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
AF_UNIX = 1

machine, call = MACHINES[os.uname().machine]
instructions = [
    (LOAD, 0, 0, 4), (EQUAL, 0, 5, machine),
    (LOAD, 0, 0, 0), (EQUAL, 0, 3, call),
    (LOAD, 0, 0, 16), (EQUAL, 0, 1, AF_UNIX),
    (RETURN, 0, 0, ERRNO | int(sys.argv[1])),
    (RETURN, 0, 0, ALLOW),
]


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
program = Program(len(instructions), code)
libc = ctypes.CDLL(None, use_errno=True)
for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, FILTER, ctypes.byref(program), 0, 0)):
    if libc.prctl(*arguments) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[2], sys.argv[2:])
