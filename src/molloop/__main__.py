"""The command `molloop`, also as `python -m molloop`."""

from molloop import start


def main() -> None:
    """Run the command line, once there is what it needs to say anything."""
    start.end_at_signals()
    start.open_standard_streams()
    with start.told_what_is_refused():
        from molloop.cli import main as run
    run()


if __name__ == "__main__":
    main()
