"""Revisions: a git repository's files as they were at a revision, in a folder of their own.

The user's files, index and branches are not touched: the revision is read into an index of its own and written from
there. `git archive` would leave out what .gitattributes wants to keep out of archives, and a model may need it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from mac_profiler.errors import InvalidInput

# Set where git runs a hook: they name the repository and the index of whoever runs it.
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
# What a user may have switched on, and what would write into the repository or leave files out.
_PLAIN = ("core.splitIndex=false", "core.sparseCheckout=false", "core.fsmonitor=false", "core.hooksPath=/dev/null")
# Weights in large-file storage are not fetched: models are counted on shapes alone.
_QUIET = {"LC_ALL": "C", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of a repository.

    Attributes:
        name: what the user called it: "main", "HEAD~2", "v1.0".
        commit: its hash.
        repository: the top folder.
    """

    name: str
    commit: str
    repository: Path

    @property
    def submodules(self) -> list[str]:
        """Folders of other repositories in it: only their commits' names are kept in this one."""
        lines = _run(self.repository, "ls-tree", "-r", self.commit).stdout.splitlines()
        return [line.partition("\t")[2] for line in lines if line.startswith("160000 ")]

    def holds(self, path: PurePath) -> bool:
        """Whether a file, by its path below the top folder, is in it."""
        done = _run(self.repository, "cat-file", "-t", f"{self.commit}:{path.as_posix()}")
        return done.stdout.strip() == "blob"


def repository_of(place: Path) -> Path:
    """Top folder of the repository that a place lies in; the place itself need not be there any more.

    Raises:
        InvalidInput: it lies in none, or git is not installed or refuses.
    """
    folder = place.resolve()
    while not folder.is_dir():
        folder = folder.parent
    done = _run(folder, "rev-parse", "--show-toplevel")
    if done.returncode or not done.stdout.strip():
        reason = _first_line(done.stderr)
        said = "it is in no git repository" if "not a git repository" in reason else f"git says: {reason}"
        raise InvalidInput(f"--git: no revision of '{folder}' can be read: {said}")
    return Path(done.stdout.rstrip("\n")).resolve()


def find_revision(repository: Path, name: str) -> Revision:
    """The revision of that name: a branch, a tag, a commit, or what git makes of "HEAD~2".

    Raises:
        InvalidInput: the repository has none.
    """
    # A name that begins with a dash would be an option of git's.
    done = None if not name or name.startswith("-") else _run(repository, "rev-parse", "--verify", f"{name}^{{commit}}")
    if done is None or done.returncode:
        raise InvalidInput(
            f"--git: the repository '{repository}' has no revision '{name}'; name a branch, a tag or a commit "
            f"(a fresh clone in CI may have the last commit only: fetch the others first)"
        )
    return Revision(name, done.stdout.strip(), repository)


@contextmanager
def extracted(revision: Revision) -> Iterator[Path]:
    """A folder with all files of a revision, while the body runs.

    Raises:
        InvalidInput: git cannot write them.
    """
    # Resolved, because files imported from there are told apart by where they are.
    with tempfile.TemporaryDirectory(prefix="macprof-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        tree = folder / "tree"
        tree.mkdir()
        own = {"GIT_INDEX_FILE": str(folder / "index"), "GIT_WORK_TREE": str(tree)}
        own["GIT_DIR"] = _run(revision.repository, "rev-parse", "--absolute-git-dir").stdout.rstrip("\n")
        for command in (("read-tree", revision.commit), ("checkout-index", "--all", "--quiet")):
            done = _run(tree, *command, **own)
            if done.returncode:
                raise InvalidInput(f"--git: revision '{revision.name}' cannot be read: {_first_line(done.stderr)}")
        yield tree


def _run(folder: Path, *arguments: str, **own: str) -> subprocess.CompletedProcess[str]:
    environment: Mapping[str, str] = {key: value for key, value in os.environ.items() if key not in _OF_A_HOOK}
    settings = [part for setting in _PLAIN for part in ("-c", setting)]
    try:
        return subprocess.run(  # noqa: S603 - git's own commands, and no shell reads the names in them
            ["git", *settings, *arguments],  # noqa: S607 - git is where PATH says
            cwd=folder,
            env={**environment, **_QUIET, **own},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise InvalidInput("--git: git is not installed; install it, or compare saved analyses instead") from error


def _first_line(said: str) -> str:
    return next((line.removeprefix("fatal: ").strip() for line in said.splitlines() if line.strip()), "nothing")
