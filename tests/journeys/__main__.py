"""`make chaos`: the matrices of kills, restarts and matchers; `deeds`, `restarts` or `matchers` is one alone.

make chaos ARGS="deeds --rounds 1 --only FLUSHALL"
make chaos ARGS="restarts --rounds 20 --seed 7"
make chaos ARGS="matchers --events 1000"
"""

import sys

from tests.journeys import chaos, matchers, restarts


def main(arguments: list[str]) -> int:
    match arguments:
        case ["restarts", *rest]:
            return restarts.main(rest)
        case ["deeds", *rest]:
            return chaos.main(rest)
        case ["matchers", *rest]:
            return matchers.main(rest)
        case ["-h" | "--help"]:
            print(__doc__)
            print('Each explains itself: make chaos ARGS="deeds --help", and so on.')
            return 0
        case []:
            return max(chaos.main([]), restarts.main([]), matchers.main([]))
        case _:
            print(
                f"{' '.join(arguments)!r} is none of `deeds`, `restarts`, `matchers`.\n{__doc__}",
                file=sys.stderr,
            )
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
