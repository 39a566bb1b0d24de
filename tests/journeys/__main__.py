"""`make chaos`: the kill matrix and the restart matrix; with `deeds` or `restarts`, that one alone.

make chaos ARGS="deeds --rounds 1 --only FLUSHALL"
make chaos ARGS="restarts --rounds 20 --seed 7"
"""

import sys

from tests.journeys import chaos, restarts


def main(arguments: list[str]) -> int:
    match arguments:
        case ["restarts", *rest]:
            return restarts.main(rest)
        case ["deeds", *rest]:
            return chaos.main(rest)
        case ["-h" | "--help"]:
            print(__doc__)
            print('Each explains itself: make chaos ARGS="deeds --help", make chaos ARGS="restarts --help".')
            return 0
        case []:
            return max(chaos.main([]), restarts.main([]))
        case _:
            print(f"{' '.join(arguments)!r} is neither `deeds` nor `restarts`.\n{__doc__}", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
