"""`python -m tools.infra_checks [--write]`: run the checks; with `--write`, renew the snapshots first."""

import argparse
import sys

from tools.infra_checks import everything, snapshot
from tools.infra_checks.evaluating import REPOSITORY, Job, NoEvaluator, run


def main(arguments: list[str]) -> int:
    """The command. Returns its exit code: 1 when something was found, 2 when nothing could be evaluated."""
    parser = argparse.ArgumentParser(prog="python -m tools.infra_checks", description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew infra/evaluated, after showing what is different")
    wanted = parser.parse_args(arguments)
    try:
        result = run(REPOSITORY, [Job(types=True)])[0]
    except NoEvaluator as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found = [*result.types, *everything.findings(REPOSITORY, result.evaluated)]
    changed = [line for each in result.evaluated.values() for line in snapshot.differences(REPOSITORY, each)]
    sys.stdout.writelines(f"{line}\n" for line in (*changed, *found))
    if wanted.write:
        snapshot.folder(REPOSITORY).mkdir(exist_ok=True)
        for each in result.evaluated.values():
            if not each.error:
                path = snapshot.folder(REPOSITORY) / f"{each.environment}.json"
                path.write_text(snapshot.written(REPOSITORY, each), encoding="utf-8", newline="\n")
        changed = []
    return 1 if found or changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
