"""Makes the single binary: a folder that runs without Python, and one file that installs it. Run by `make binary`.

    build/binary/tallystick/                               the folder; `tallystick` in it is the program
    dist/tallystick-VERSION-linux-ARCH.run                 the installer: `sh tallystick-….run`

Promises: holds what requirements/run.lock pins and nothing that only developers have; no path of the machine it was made on; the compiled
library inside. Why a folder: PyInstaller's one file unpacks 300 MB at each start, where `tallystick --version` takes 0.2 s from the folder.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
BUILD: Final = ROOT / "build" / "binary"
SITE: Final = BUILD / "site"
FOLDER: Final = BUILD / "tallystick"
# Debug information is all that goes; `--strip-unneeded` on NumPy's libraries breaks what holds them together.
_STRIP: Final = (
    "libpython*.so*",
    "uvloop/*.so",
    "zstandard/*.so",
    "_cffi_backend*.so",
    "lmdb/*.so",
    "xxhash/*.so",
    "multidict/*.so",
)


def main() -> None:
    """Make folder and installer, and say how large they are."""
    install_freshly()
    freeze()
    strip()
    check_paths()
    installer = pack()
    size = sum(path.lstat().st_size for path in FOLDER.rglob("*"))
    print(f"{FOLDER.relative_to(ROOT)}: {size / 1e6:,.0f} MB")
    print(f"{installer.relative_to(ROOT)}: {installer.stat().st_size / 1e6:,.0f} MB")


def install_freshly() -> None:
    """Install Tallystick into a folder of its own: an editable installation would carry the checkout's path."""
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.rmtree(BUILD / "wheel", ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels = str(BUILD / "wheel")
    _run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, str(ROOT)])
    # From a folder of wheels rather than by path, which would be written down.
    _run(
        [
            *pip,
            "install",
            "--no-deps",
            "--no-index",
            "--no-compile",
            "-f",
            wheels,
            "--target",
            str(SITE),
            "tallystick",
        ]
    )


def freeze() -> None:
    """Run PyInstaller with the fresh installation first on its path."""
    path = os.pathsep.join([str(SITE), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "ERROR"]
    places = ["--workpath", str(BUILD / "work"), "--distpath", str(BUILD)]
    _run([*command, *places, "tallystick.spec"], cwd=HERE, env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"})
    licences(FOLDER / "_internal" / "licenses")


def licences(folder: Path) -> None:
    """Put the licences of everything inside beside it, as they ask for."""
    packages = (
        line.split("==")[0] for line in (ROOT / "requirements" / "run.lock").read_text().splitlines() if "==" in line
    )
    for package in ["tallystick", *packages]:
        files = distribution(package).files or []
        texts = [
            file
            for file in files
            if ".dist-info" in file.parts[0] and file.name.lower().startswith(("licen", "copying", "notice"))
        ]
        for text in texts:
            target = folder / package / text.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(text.locate()), target)
    python = next(Path(sys.base_prefix).glob("lib/python3*/LICENSE.txt"), None)
    if python is not None:
        shutil.copyfile(python, folder / "python.txt")


def strip() -> None:
    """Take debug information out of libraries, where there is `strip`."""
    tool = shutil.which("strip")
    if tool is None:
        return
    for pattern in _STRIP:
        for path in (FOLDER / "_internal").glob(pattern):
            if not path.is_symlink():
                _run([tool, "--strip-debug", str(path)])


def check_paths() -> None:
    """Refuse to go on if a file names the checkout it was made from."""
    needle = str(ROOT).encode()
    found = [path for path in FOLDER.rglob("*") if path.is_file() and needle in path.read_bytes()]
    if found:
        names = ", ".join(str(path.relative_to(FOLDER)) for path in found[:5])
        raise SystemExit(f"these files of the binary name {ROOT}: {names}")


def pack() -> Path:
    """Return the installer: a shell script, and behind it the folder as tar.gz, which every Linux can read."""
    name = f"tallystick-{version('tallystick')}-linux-{platform.machine()}"
    archive, installer = BUILD / f"{name}.tar.gz", ROOT / "dist" / f"{name}.run"
    installer.parent.mkdir(exist_ok=True)
    # No time and no owner in it: the same folder gives the same archive.
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        tar.add(FOLDER, arcname="tallystick", filter=_nameless)
    packed = archive.read_bytes()
    script = (HERE / "installer.sh").read_text()
    for mark, value in (
        ("VERSION", version("tallystick")),
        ("SHA256", hashlib.sha256(packed).hexdigest()),
        ("BYTES", str(len(packed))),
    ):
        script = script.replace(f"@{mark}@", value)
    installer.write_bytes(script.encode() + packed)
    installer.chmod(0o755)
    archive.unlink()
    return installer


def _nameless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry


def _run(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, cwd=cwd, env=env)


if __name__ == "__main__":
    main()
