"""Downloads that arrive whole or not at all."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from ldt_toolbox.clients import errors, imperfect
from ldt_toolbox.errors import OutputError, WrongUseError

FILE = bytes(range(256)) * 1000
SHA = hashlib.sha256(FILE).hexdigest()


def file_route(hostile, *, tag='"v1"', ranges=True, cuts=0, content=FILE):
    """A file that is cut in its middle by the first `cuts` requests."""

    def handler(request):
        start = 0
        wanted = request.headers.get("Range")
        if ranges and wanted and request.headers.get("If-Range") == tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        part = content[start:]
        lines = [f"Content-Length: {len(part)}", f"ETag: {tag}" if tag else "X-None: 1"]
        status = "200 OK"
        if start:
            status = "206 Partial Content"
            lines.append(f"Content-Range: bytes {start}-{len(content) - 1}/{len(content)}")
        sent = part[: len(part) // 2] if request.count <= cuts else part
        return hostile.Raw([hostile.head(*lines, status=status), sent])

    return handler


def only(path):
    """The file, and nothing beside it."""
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    return path.read_bytes()


def test_a_cut_download_goes_on_where_it_stopped(server, hostile, client, tmp_path):
    server.route("GET", "/f", file_route(hostile, cuts=2))
    assert only(client().download("/f", tmp_path / "d" / "f.bin", sha256=SHA)) == FILE
    asked = [r.headers.get("Range") for r in server.requests]
    half = len(FILE) // 2
    assert asked == [None, f"bytes={half}-", f"bytes={half + half // 2}-"]
    assert server.requests[1].headers["If-Range"] == '"v1"'
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("options", [{"tag": ""}, {"tag": 'W/"weak"'}, {"ranges": False}])
def test_a_cut_download_starts_anew_where_it_cannot_go_on(
    server, hostile, client, tmp_path, options
):
    server.route("GET", "/f", file_route(hostile, cuts=1, **options))
    assert only(client().download("/f", tmp_path / "f.bin")) == FILE
    assert len(server.requests) == 2


def test_a_later_call_goes_on(server, hostile, client, tmp_path):
    path = tmp_path / "f.bin"
    server.route("GET", "/f", file_route(hostile, cuts=1))
    with pytest.raises(errors.Truncated):
        client(retries=0).download("/f", path)
    assert not path.exists()
    assert (tmp_path / "f.bin.part").stat().st_size == len(FILE) // 2
    assert only(client().download("/f", path, sha256=SHA)) == FILE
    assert server.requests[-1].headers["Range"] == f"bytes={len(FILE) // 2}-"


def test_a_file_that_changed_meanwhile_is_not_patched_together(server, hostile, client, tmp_path):
    path = tmp_path / "f.bin"
    server.route("GET", "/f", file_route(hostile, cuts=1))
    with pytest.raises(errors.Truncated):
        client(retries=0).download("/f", path)
    server.route("GET", "/f", file_route(hostile, tag='"v2"', content=FILE[::-1]))
    assert only(client().download("/f", path)) == FILE[::-1]


def test_a_server_that_lies_about_its_edition_is_found_out_by_the_hash(
    server, hostile, client, tmp_path
):
    path = tmp_path / "f.bin"
    server.route("GET", "/f", file_route(hostile, cuts=1, content=FILE[::-1]))
    with pytest.raises(errors.Truncated):
        client(retries=0).download("/f", path)
    server.route("GET", "/f", file_route(hostile))  # other content under the same ETag
    assert only(client().download("/f", path, sha256=SHA)) == FILE


def test_a_wrong_hash_leaves_nothing(server, hostile, client, tmp_path):
    server.route("GET", "/f", file_route(hostile))
    path = tmp_path / "f.bin"
    path.write_bytes(b"older")
    with pytest.raises(errors.HashMismatch, match="sha256 is"):
        client().download("/f", path, sha256="0" * 64)
    assert only(path) == b"older"
    with pytest.raises(WrongUseError, match="64 hexadecimal"):
        client().download("/f", path, sha256="abc")


@pytest.mark.parametrize("answer", ["416", "wrong range", "unasked 206"])
def test_ranges_that_don_t_fit_start_anew(server, hostile, client, tmp_path, answer):
    whole = file_route(hostile, cuts=1)

    def handler(request):
        if request.count != 2 and not (answer == "unasked 206" and request.count == 1):
            return whole(request)
        if answer == "416":
            return hostile.Reply(416)
        return hostile.Reply(206, b"abc", [("Content-Range", "bytes 5-7/8")])

    server.route("GET", "/f", handler)
    assert only(client().download("/f", tmp_path / "f.bin", sha256=SHA)) == FILE


def test_a_file_that_is_there_is_not_fetched_again(server, client, tmp_path):
    path = tmp_path / "f.bin"
    path.write_bytes(FILE)
    assert client().download("/f", path, sha256=SHA.upper()) == path
    assert client(offline=True).download("/f", path) == path
    assert server.requests == []
    with pytest.raises(errors.OfflineError, match="download it once"):
        client(offline=True).download("/f", tmp_path / "other.bin")


def test_downloads_of_one_path_at_once_don_t_mix(server, hostile, client, tmp_path):
    server.route("GET", "/f", file_route(hostile, cuts=3))
    asking = client()
    path = tmp_path / "f.bin"
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: asking.download("/f", path), range(6)))
    assert only(path) == FILE


def test_an_endless_download_is_left(client, tmp_path):
    with pytest.raises(errors.TooLarge):
        client().download("/endless", tmp_path / "f.bin", max_bytes=1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_a_download_without_length_or_hash_warns(client, tmp_path):
    with pytest.warns(imperfect.UnknownLengthWarning):
        client().download("/http10", tmp_path / "t.csv")
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    client().download("/http10", tmp_path / "u.csv", sha256=digest)


def test_a_folder_that_cannot_be_written_is_named(client, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"f\.bin cannot be written"):
        client().download("/ok", tmp_path / "file" / "f.bin")
