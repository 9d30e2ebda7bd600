"""Build of the documentation site: sources, example report, Sphinx, links."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from assemble import assemble
from check_links import broken_links, foreign_files
from places import ROOT

BUILD = ROOT / "build" / "docs"
REPORT_SPEC = ROOT / "specs" / "quickstart.yaml"


def main() -> int:
    """Build the site into `build/docs/html`, and return the exit code."""
    options = _options()
    report = _report_of(options)
    assemble(BUILD / "source", with_report=report is not None)
    extra = BUILD / "extra"
    shutil.rmtree(extra, ignore_errors=True)
    if report is not None:
        shutil.copytree(report, extra / "example-report")
    environment = {
        **os.environ,
        "RNNSTUDY_SITE_EXAMPLES": "no" if options.no_examples else "yes",
        "RNNSTUDY_SITE_EXTRA": str(extra) if report is not None else "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MPLBACKEND": "agg",
    }
    builders = ["html", "linkcheck"] if options.external else ["html"]
    shutil.rmtree(BUILD / "html", ignore_errors=True)  # pages that the site no longer has
    for builder in builders:
        command = [
            sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", builder,
            "-c", str(ROOT / "docs"), "-d", str(BUILD / "doctrees"),
            str(BUILD / "source"), str(BUILD / builder),
        ]  # fmt: skip
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if code:
            sys.stderr.write(f"tools/docs: Sphinx ended with the exit code {code}\n")
            return 1
    faults = [f"broken link in {line}" for line in broken_links(BUILD / "html")]
    faults += [f"a file of another site in {line}" for line in foreign_files(BUILD / "html")]
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    if not faults:
        sys.stdout.write(f"The site is {BUILD / 'html' / 'index.html'}\n")
    return int(bool(faults))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/docs", description="Build the documentation site into build/docs/html."
    )
    parser.add_argument(
        "--no-examples", action="store_true", help="run neither examples nor the example study"
    )
    parser.add_argument(
        "--report", metavar="DIR", type=Path, help="finished run directory of the example report"
    )
    parser.add_argument("--external", action="store_true", help="check links to other sites, too")
    return parser.parse_args()


def _report_of(options: argparse.Namespace) -> Path | None:
    """Return the folder of the example report; None without one."""
    run = options.report
    if run is None:
        if options.no_examples:
            return None
        run = BUILD / "quickstart"
        command = [sys.executable, "-m", "rnnstudy", "run", str(REPORT_SPEC), "--out", str(run)]
        subprocess.run(command, cwd=ROOT, check=True)
    report: Path = run / "report"
    if not (report / "index.html").exists():
        sys.exit(f"tools/docs: --report must be a finished run directory, got {run}")
    return report


if __name__ == "__main__":
    sys.exit(main())
