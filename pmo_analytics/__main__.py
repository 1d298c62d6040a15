"""`python -m pmo_analytics` is the same as `pmo`."""

import sys

if __name__ == "__main__":
    # Python puts the folder that it is started in before all else: modules there would
    # be taken for its own. It stays only where the package itself lies in it, as in a
    # plain checkout. `python -P -m pmo_analytics` does not even put it there.
    package = __file__.replace("\\", "/").rsplit("/", 2)[0]
    if not sys.flags.safe_path and sys.path[0].replace("\\", "/") != package:
        del sys.path[0]
    from pmo_analytics.cli import run

    run()
