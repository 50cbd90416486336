"""Where the page is, and the sentence where it cannot be there: before anything is opened."""

from __future__ import annotations

import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.runtime.page.conftest import Shown

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.page import PageSettings, open_page
from edgecrnn.runtime.page.settings import is_loopback, listen, reached_at
from edgecrnn.runtime.page.token import kept_token, same, token_file

Command = Callable[..., "subprocess.Popen[str]"]


def refused(process: subprocess.Popen[str]) -> str:
    """The one sentence of a run that ended with 2."""
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2, said
    assert said.startswith("edgecrnn: ") and said.count("\n") == 1, said
    return said


@pytest.mark.parametrize(
    "serve", ["127.0.0.1", "here:port", "127.0.0.1:99999", "http://a:1", ":80"]
)
def test_no_address(serve: str) -> None:
    with pytest.raises(EdgecrnnError, match="expected HOST:PORT"):
        PageSettings(serve=serve)


def test_a_name_that_is_none() -> None:
    with pytest.raises(EdgecrnnError, match="serve_name: expected a host's name"):
        PageSettings(serve_name="https://board")


def test_an_address_of_nobody_and_one_of_another_machine() -> None:
    with pytest.raises(EdgecrnnError, match=r"which is unknown; take 127\.0\.0\.1"):
        listen(PageSettings(serve="no-such-host.invalid:8080"))
    with pytest.raises(EdgecrnnError, match="expected a free address of this machine"):
        listen(PageSettings(serve="192.0.2.1:8080"))


def test_only_a_port_is_the_loopback() -> None:
    settings = PageSettings(serve="8080")
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert PageSettings(serve="[::1]:0").host == "::1"


def test_who_is_asked_for_a_token() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.3.2.1", "::1"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "192.168.1.5", "fe80::1%eth0"]))
    assert reached_at("192.0.2.7") == "192.0.2.7"
    assert reached_at("0.0.0.0") != "0.0.0.0"


def test_a_port_that_is_taken_is_told_before_the_camera_opens(
    edgecrnn: Command, bundle_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        # The camera is none: were it opened, that would be told.
        words = ("--source", "/dev/video-none", "--serve", f"127.0.0.1:{port}")
        said = refused(edgecrnn("run", bundle_path, *words))
    assert f"127.0.0.1:{port} (Address already in use); choose another port" in said


def test_a_missing_package(edgecrnn: Command, bundle_path: Path) -> None:
    hide = "import sys\nsys.modules['aiohttp'] = None"
    words = ("--source", "/dev/video-none", "--serve", "127.0.0.1:0")
    said = refused(edgecrnn("run", bundle_path, *words, code=hide))
    assert 'pip install "edgecrnn[page]"' in said


def test_a_run_that_ends_before_the_package_is_read(
    edgecrnn: Command, bundle_path: Path, write_video: Callable[..., Path]
) -> None:
    slow = (
        "import sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        time.sleep(1.5 * (name == 'aiohttp.web'))\n"
        "sys.meta_path.insert(0, Slow())"
    )
    words = ("--source", write_video(["red"] * 4), "--serve", "127.0.0.1:0")
    process = edgecrnn("run", bundle_path, *words, code=slow)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and len(out.splitlines()) == 4
    assert "live page: http://127.0.0.1:" in err
    assert "Traceback" not in err and "Exception" not in err


def test_without_serve_the_package_is_not_even_read(
    edgecrnn: Command, bundle_path: Path, write_video: Callable[..., Path]
) -> None:
    video = write_video(["red"] * 4)
    hide = "import sys\nsys.modules['aiohttp'] = None"
    process = edgecrnn("run", bundle_path, "--source", video, code=hide)
    process.communicate(timeout=120)
    assert process.returncode == 0


def test_the_token_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "token"
    token, made = kept_token(path)
    assert made and len(token) >= 32 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_token(path) == (token, False)
    assert [each.name for each in path.parent.iterdir()] == ["token"]
    assert same(token, token) and not same(token[:-1], token) and not same("é", token)


@pytest.mark.parametrize("text", ["", "short", "with spaces in the middle of it", "x" * 300])
def test_a_token_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(EdgecrnnError, match="expected a token of 22 to 200"):
        kept_token(path)


def test_a_token_that_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    kept_token(path)
    path.chmod(0o644)
    with pytest.raises(EdgecrnnError, match="mode 0644; run chmod 600"):
        kept_token(path)


@pytest.mark.parametrize("named", ["", "file/below", "."])
def test_a_token_file_that_cannot_be(tmp_path: Path, named: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgecrnnError, match="name another with --serve-token"):
        kept_token(tmp_path / named)


def test_where_the_token_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/edgecrnn:/var/lib/other")
    assert token_file("") == Path("/var/lib/edgecrnn/page-token")
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")
    assert token_file("") == Path("/home/me/state/edgecrnn/page-token")
    assert token_file("here") == Path("here")


def test_a_token_file_that_cannot_be_read_frees_the_port(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("no")
    path.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = PageSettings(f"127.0.0.1:{port}", "board.example.org", str(path))
    with pytest.raises(EdgecrnnError, match="expected a token"):
        open_page(settings, print)
    listen(PageSettings(serve=f"127.0.0.1:{port}")).close()


def test_the_link_with_the_token_is_printed_once(guarded: Shown) -> None:
    first = guarded.link
    assert "?token=" in first and first.startswith("http://127.0.0.1:")
    state = Path(_environment(guarded.process.pid)["XDG_STATE_HOME"])
    settings = PageSettings("127.0.0.1:0", "board.example.org", str(state / "edgecrnn/page-token"))
    page = open_page(settings, print)
    assert page is not None
    page.close()
    assert page.announced.endswith(f"/ (asks for the token in {state}/edgecrnn/page-token)")


def _environment(process: int) -> dict[str, str]:
    read = Path(f"/proc/{process}/environ").read_bytes().decode()
    return dict(line.split("=", 1) for line in read.split("\0") if "=" in line)
