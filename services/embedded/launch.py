"""What a child becomes before it is the engine: another user, and bound to its parent's life.

Run as a script in its own small process (`python launch.py '{…}' program arguments…`), because code between
fork and exec is not safe in a process with threads. It must import nothing of Goniec.
"""

import ctypes
import json
import os
import sys

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT = 1, 8, 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}


def main(wish: dict[str, int | bool], command: list[str]) -> None:
    """`wish`: `uid` and `gid` to become, `reach` (keep a right to closed folders), `signal`, `parent`."""
    os.umask(0o077)
    if "uid" in wish:
        _become(int(wish["uid"]), int(wish["gid"]), reach=bool(wish["reach"]))
    if sys.platform == "linux":
        _die_with_parent(int(wish["signal"]), int(wish["parent"]))
    os.execv(command[0], command)


def _become(uid: int, gid: int, *, reach: bool) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if reach:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if reach and not any(_keep(libc, right) for right in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)):
        sys.exit("the folders on the way are closed to the user that the engine runs as")


def _keep(libc: ctypes.CDLL, right: int) -> bool:
    """Keep one right of root across the coming exec (an ambient capability, capabilities(7))."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bits = (ctypes.c_uint32 * 6)(1 << right, 1 << right, 1 << right, 0, 0, 0)
    number = SYS_CAPSET.get(os.uname().machine)
    if number is None or libc.syscall(number, header, bits) != 0:
        return False
    return bool(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, right, 0, 0) == 0)


def _die_with_parent(signal: int, parent: int) -> None:
    # After the change of user: that change clears the wish.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent has gone")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
