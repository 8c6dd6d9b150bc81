"""The translation catalogue keeps what others have written, and its own order."""

import pytest

from scripts import messages


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    locale = tmp_path / "locale"
    path = locale / "zh_Hans" / "LC_MESSAGES" / "django.po"
    monkeypatch.setattr(messages, "LOCALE", locale)
    monkeypatch.setattr(messages, "CATALOGUE", path)
    monkeypatch.setattr(messages, "said", lambda: {messages.Text("%(n)s bed", "", "%(n)s beds")})
    monkeypatch.setattr(messages.read, "__defaults__", (path,))
    return path


def _add(tmp_path, text):
    file = tmp_path / "words.tsv"
    file.write_text(text, encoding="utf-8")
    messages.add(file)


def test_words_are_merged_sorted_and_compiled(tmp_path, catalogue):
    _add(tmp_path, "Ward\t病区\nAlarm\t告警\n")
    _add(tmp_path, "Bed\t床位\nAlarm\t告警单\n\n%(n)s bed\t%(n)s 张床\n")
    text = catalogue.read_text(encoding="utf-8")
    assert text.index('"Alarm"') < text.index('"Bed"') < text.index('"Ward"')
    assert "告警单" in text
    assert 'msgid_plural "%(n)s beds"' in text
    assert catalogue.with_suffix(".mo").stat().st_size > 100


def test_nothing_changes_when_the_same_words_come_again(tmp_path, catalogue):
    _add(tmp_path, "Ward\t病区\n")
    before = catalogue.read_bytes()
    _add(tmp_path, "Ward\t病区\n")
    assert catalogue.read_bytes() == before


def test_same_word_in_two_contexts_has_two_translations(tmp_path, catalogue):
    _add(tmp_path, "Open\t打开\nOpen\t未关闭\tstate\n")
    assert 'msgctxt "state"' in catalogue.read_text(encoding="utf-8")


def test_line_break_in_a_word_is_written_as_such(tmp_path, catalogue):
    _add(tmp_path, "One\\ntwo\t一\\n二\n")
    assert ("One\ntwo", "") in messages._entries(messages.read())


@pytest.mark.parametrize("text", ["Ward\n", "Ward\t\n", "Ward\t病区\tx\ty\n"])
def test_line_that_is_no_pair_is_refused_with_its_number(tmp_path, catalogue, text):
    with pytest.raises(SystemExit, match=r"words\.tsv:1: wants msgid"):
        _add(tmp_path, text)
