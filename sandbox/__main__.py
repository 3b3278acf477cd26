"""`python -m sandbox`: serve the imitation portals until interrupted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sandbox.serving import TOKEN_VARIABLE, run


def main() -> int:
    """Read the arguments and serve; return the exit code."""
    parser = argparse.ArgumentParser("python -m sandbox", description="Serve imitation portals on loopback.")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="folder for addresses and state")
    parser.add_argument("--portals", default="", help="which ones, separated by commas; all without it")
    parser.add_argument(
        "--sms-url", default="", help=f"where text messages are posted, with the token in {TOKEN_VARIABLE}"
    )
    parser.add_argument("--mail-url", default="", help="where mails are posted, with the same token")
    parser.add_argument("--perturb", default="", help="change what is free: a seed, 7-order.words, or off")
    given = parser.parse_args()
    words = [word for word in given.portals.split(",") if word]
    sentence = run(given.state, words, given.sms_url, given.mail_url, given.perturb)
    if sentence:
        print(sentence, file=sys.stderr)
    return 1 if sentence else 0


if __name__ == "__main__":
    sys.exit(main())
