"""`edgecrnn flash BUNDLE USER@HOST`: signed, proven on the board, switched whole, taken back."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.cli.flash_card import add_card, flash_card
from edgecrnn.cli.flash_fleet import add_fleet, check_alone, flash_inventory
from edgecrnn.devices.flash import flash
from edgecrnn.devices.flash_settings import Flashed, FlashSettings
from edgecrnn.devices.ssh import SshSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.printable import printable

# What stands after `--` is for edgecrnn run on the board.
TAKES_REST = True
_EPILOG = """Everything after -- goes to edgecrnn run on the board:
  edgecrnn flash BUNDLE pi@raspberrypi.local --camera 0 -- --sink mqtt://broker/door

It ends with 0 where the release runs, and with 2 where it was refused or the board took it back;
either way the board runs the release before or the new one, whole. See docs/flash.md."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("bundle", metavar="BUNDLE", help="file that convert wrote")
    parser.add_argument(
        "host", metavar="HOST", nargs="?", help="USER@HOST, or a name in your ssh config"
    )
    parser.add_argument("--json", action="store_true", help="the result as one JSON object")
    skipped = ("bundle", "run", "ssh")
    add_settings(parser, FlashSettings, skip=skipped)
    add_settings(parser, SshSettings)
    add_fleet(parser)
    add_card(parser)


def execute(args: argparse.Namespace) -> int:
    """Flash, and tell step by step."""
    if args.boot_volume is not None:
        check_alone(args)
        return flash_card(args, _check_run)
    if args.image:
        raise EdgecrnnError("--image: expected --boot-volume with it, got none; a board is asked")
    if args.inventory is not None and args.host is not None:
        raise EdgecrnnError(
            f"HOST: expected none beside --inventory, got {args.host!r}; leave one of them out"
        )
    if args.inventory is not None:
        return flash_inventory(args, _check_run)
    check_alone(args)
    if args.host is None:
        raise EdgecrnnError("HOST: expected USER@HOST, got none; name a board, or an --inventory")
    settings = read_settings(
        FlashSettings,
        args,
        bundle=args.bundle,
        run=tuple(args.rest),
        ssh=read_settings(SshSettings, args),
    )
    _check_run(settings)
    # A program that reads the JSON gets nothing else on standard output.
    out = sys.stderr if args.json else sys.stdout
    flashed = flash(settings, args.host, lambda line: print(printable(line), file=out, flush=True))
    if args.json:
        print(json.dumps(dataclasses.asdict(flashed), indent=1, ensure_ascii=False))
    else:
        print(f"\n{_told(flashed, settings)}", flush=True)
    if flashed.outcome != "rolled back":
        return 0
    if not args.json:
        print("".join(f"  {printable(line)}\n" for line in flashed.log), end="", flush=True)
    now = f"release {flashed.running} runs again" if flashed.running else "nothing runs there"
    raise EdgecrnnError(
        f"{args.host}: expected {flashed.release} to run well, but the board took it back "
        f"({flashed.reason}); {now}"
    )


def _check_run(settings: FlashSettings) -> None:
    """What edgecrnn run would refuse on the board is refused here."""
    from edgecrnn.cli import command_parser
    from edgecrnn.devices.flash_facts import run_words

    try:
        command_parser("run").parse_args([settings.bundle, *run_words(settings)])
    except EdgecrnnError as error:
        raise EdgecrnnError(f"arguments of edgecrnn run on the board: {error}") from error


def _told(flashed: Flashed, settings: FlashSettings) -> str:
    """The last lines: what runs now."""
    host, release = flashed.host, flashed.release
    if flashed.outcome == "planned":
        return f"dry run: nothing was changed on {host}"
    if flashed.outcome == "unchanged":
        return f"nothing to do: {host} runs {release} and it is well"
    if flashed.outcome == "rolled back":
        return f"{host} took {release} back:"
    before = f"; back to {flashed.previous} with edgecrnn rollback {host}"
    lines = [f"{host} runs {release}{before if flashed.previous else ''}"]
    if not settings.service:
        lines.append("it does not start at boot yet: flash with --service for that")
    return "\n".join(lines)
