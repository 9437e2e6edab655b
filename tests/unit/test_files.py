import pytest

from molloop.files import write_whole


def test_what_is_beside_a_file_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "out.csv.tmp").symlink_to(tmp_path / "mine")
    write_whole(tmp_path / "out.csv", lambda path: path.write_text("new"))
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "out.csv").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out.csv", "out.csv.tmp"]


def test_a_file_that_fails_leaves_the_old_one_and_nothing_else(tmp_path):
    (tmp_path / "out.csv").write_text("old")

    def fail(path):
        path.write_text("half")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path / "out.csv", fail)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_what_is_no_file_stays(tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(OSError, match="no regular file"):
        write_whole(tmp_path / "out.csv", lambda path: path.write_text("new"))
