"""The first that runs of `connectome`, also as `python -m connectome.cli`: light, so that Ctrl-C is heard at once."""

from __future__ import annotations

import os
import sys

WRONG_FLAGS, INTERRUPTED = 2, 130


def main() -> None:
    """Run the command line of this process and exit."""
    for number, word in enumerate(sys.argv[1:], 1):
        if any("\ud800" <= character <= "\udfff" for character in word):
            sys.stderr.write(f"error: argument {number} isn't UTF-8: {os.fsencode(word)!r}\n")
            sys.exit(WRONG_FLAGS)
    try:
        from connectome.cli.main import main as run  # takes its time

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
