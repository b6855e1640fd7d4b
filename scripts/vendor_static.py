"""Copy what the console loads in browsers from npm into the package, and write down its hashes.

Run it after a change of package.json. ``npm ci`` checks every package against the hash in package-lock.json; no node
is needed where the server runs.
"""

import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "scim_server" / "web" / "console" / "static" / "vendor"
TESTS = ROOT / "tests" / "browser" / "vendor"
SUMS = "SHA256SUMS"
FILES = {
    STATIC: ("@picocss/pico/css/pico.min.css", "htmx.org/dist/htmx.min.js"),
    TESTS: ("axe-core/axe.min.js",),
}


def main() -> None:
    """The vendored files are those that package-lock.json names."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)  # noqa: S607 - npm is looked for where its user has it
        for target, files in FILES.items():
            _copy([Path(folder) / "node_modules" / file for file in files], target)


def _copy(files: list[Path], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, target / file.name)
    lines = [f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (target / SUMS).write_text("".join(lines))


if __name__ == "__main__":
    main()
