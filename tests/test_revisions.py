"""Revisions of a git repository: read whole into a folder of their own, the user's files and index left alone."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest

from mac_profiler.errors import InvalidInput
from mac_profiler.revisions import extracted, find_revision, repository_of

WHO = ["-c", "user.name=somebody", "-c", "user.email=some@body", "-c", "commit.gpgsign=false"]


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *WHO, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits, the first of them tagged; then a change, a staged file and an untracked one."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    top = tmp_path / "repository"
    (top / "nets").mkdir(parents=True)
    git(top, "init", "--quiet", "--initial-branch=main")
    (top / "nets" / "net.py").write_text("WIDTH = 1\n")
    (top / "nets" / "kept out.py").write_text("ö = 2\n", encoding="utf-8")
    (top / ".gitattributes").write_text("*out.py export-ignore\n")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message=one")
    git(top, "tag", "v1")
    (top / "nets" / "net.py").write_text("WIDTH = 2\n")
    git(top, "commit", "--quiet", "--all", "--message=two")
    (top / "nets" / "net.py").write_text("WIDTH = 3\n")
    (top / "staged.py").write_text("")
    git(top, "add", "staged.py")
    (top / "untracked.py").write_text("")
    return top


def everything(top: Path) -> dict[str, bytes]:
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def test_a_revision_is_read_whole_and_nothing_is_touched(repository: Path) -> None:
    before = git(repository, "status", "--porcelain"), everything(repository)
    for name, width in (("v1", 1), ("main", 2), ("HEAD~1", 1), ("HEAD", 2)):
        with extracted(find_revision(repository, name)) as tree:
            assert (tree / "nets" / "net.py").read_text() == f"WIDTH = {width}\n"
            found = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
            # What .gitattributes keeps out of archives is there; what is not committed is not.
            assert found == {"nets/net.py", "nets/kept out.py", ".gitattributes"}
        assert not tree.exists()
    # In this order: git itself refreshes its index when it is asked for the status.
    assert everything(repository) == before[1]
    assert git(repository, "status", "--porcelain") == before[0]


@pytest.mark.parametrize("setting", ["core.splitIndex", "core.sparseCheckout", "core.untrackedCache"])
def test_what_a_user_has_switched_on_changes_nothing(repository: Path, setting: str) -> None:
    git(repository, "config", setting, "true")
    (repository / ".git" / "info" / "sparse-checkout").write_text("/nothing/\n")
    before = everything(repository)
    with extracted(find_revision(repository, "v1")) as tree:
        assert (tree / "nets" / "net.py").is_file()
    assert everything(repository) == before


def test_a_hook_s_index_is_not_taken_for_ours(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository / ".git" / "index"))
    monkeypatch.setenv("GIT_DIR", str(repository / "nowhere"))
    before = everything(repository)
    with extracted(find_revision(repository_of(repository / "nets"), "v1")) as tree:
        assert (tree / "nets" / "net.py").is_file()
    assert everything(repository) == before


def test_a_linked_working_tree_is_a_repository_too(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"), "v1")
    top = repository_of(tmp_path / "linked" / "nets")
    assert top == (tmp_path / "linked").resolve()
    with extracted(find_revision(top, "main")) as tree:
        assert (tree / "nets" / "net.py").read_text() == "WIDTH = 2\n"


def test_files_of_a_revision_are_known(repository: Path) -> None:
    revision = find_revision(repository, "v1")
    assert len(revision.commit) == 40
    paths = ["nets/net.py", "nets/kept out.py", "nets", "nets/none.py", "staged.py", "untracked.py"]
    assert [revision.holds(PurePosixPath(path)) for path in paths] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    "name", ["v9", "", "--all", "-q", "main:nets/net.py", "HEAD^{tree}", "a b", "ma\nin", "0" * 40]
)
def test_a_revision_that_is_not_there(repository: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="has no revision"):
        find_revision(repository, name)


def test_the_repository_of_what_is_gone(repository: Path) -> None:
    assert repository_of(repository / "nets" / "gone" / "deeper") == repository.resolve()


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="in no git repository"):
        repository_of(tmp_path)


def test_no_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(InvalidInput, match="git is not installed"):
        repository_of(repository)
