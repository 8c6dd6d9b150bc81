"""Every word has its Chinese, and the Chinese words are those of the glossary."""

import re

import pytest
from django.utils import translation

from scripts import messages
from scripts.reference.glossary import rows

PLACES = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")
CHINESE = re.compile(r"[㐀-鿿]")
# Where the English has the word on the left, the Chinese must have one of those on the right. Words with several
# meanings (change, close, event) are not here: a person reads those.
DEMANDED = {
    r"\bincidents?\b": ("事件",),
    r"\balarms?\b": ("告警",),
    r"\bpriority\b": ("优先级",),
    r"\bconfiguration items?\b|\bCIs?\b": ("配置项", "CI"),
    r"\bservice desk\b": ("服务台",),
    r"\bimpact\b": ("影响",),
    r"\burgency\b": ("紧急度",),
    r"\bworkaround\b": ("变通",),
    r"\breopen(ed|s|ing)?\b": ("重开",),
    r"\bserver rooms?\b": ("机房",),
    r"\bcampus(es)?\b": ("院区",),
    r"\bknowledge base\b": ("知识库",),
    r"\bpatient safety\b": ("患者安全",),
    r"\badverse[- ]event": ("不良事件",),
    r"\bmaintenance window\b": ("维护窗口", "维护时段"),
}
# No other word for a term that has one.
FORBIDDEN = {
    "事故": "事件 (事故 is the ITIL 2 translation of incident)",
    "报警": "告警",
    "警报": "告警",
    "优先权": "优先级",
    "配置条目": "配置项",
    "配置元素": "配置项",
    "重新打开": "重开",
    "重新开启": "重开",
    "分派": "派单",
    "服务中心": "服务台",
    "紧急性": "紧急度",
    "紧急程度": "紧急度",
    "故障单": "工单",
    "机器房": "机房",
    "变更单号": "编号",
    "登陆": "登录",
    "帐号": "账号",
    "帐户": "账户",
}


def _catalogue() -> list[tuple[str, str]]:
    return [
        (msgid, text) for (msgid, _context), (text, _plural) in messages._entries(messages.read()).items()
    ]


def wrong_terms(pairs: list[tuple[str, str]]) -> list[str]:
    """Where a translation leaves the glossary."""
    found = []
    for msgid, text in pairs:
        found += [
            f"{msgid!r}: {word} in {text!r}, say {right}" for word, right in FORBIDDEN.items() if word in text
        ]
        said = PLACES.sub("", msgid)
        for pattern, words in DEMANDED.items():
            if re.search(pattern, said, re.IGNORECASE if "CI" not in pattern else 0) and not any(
                w in text for w in words
            ):
                found.append(f"{msgid!r}: {text!r} lacks {' or '.join(words)}")
    return found


def broken_places(pairs: list[tuple[str, str]]) -> list[str]:
    """Where a translation would lose or invent a value, or fail to format."""
    return [
        f"{msgid!r} has {sorted(PLACES.findall(msgid))}, {text!r} has {sorted(PLACES.findall(text))}"
        for msgid, text in pairs
        if sorted(PLACES.findall(msgid)) != sorted(PLACES.findall(text))
    ]


def test_no_word_of_the_program_lacks_its_chinese():
    missing = messages.missing()
    assert missing == [], "\n" + "\n".join(text.msgid for text in missing)


def test_catalogue_holds_nothing_that_the_program_no_longer_says():
    assert messages.unused() == [], "run `python scripts/messages.py extract`"


def test_chinese_words_are_those_of_the_glossary():
    wrong = wrong_terms(_catalogue())
    assert wrong == [], "\n" + "\n".join(wrong)


def test_translations_keep_every_value():
    broken = broken_places(_catalogue())
    assert broken == [], "\n" + "\n".join(broken)


def test_what_the_test_demands_is_in_the_glossary():
    """The demands above are the glossary's own words, not this file's."""
    chinese = " ".join(row["zh"] for row in rows())
    own_words = {"CI", "变通", "维护窗口", "维护时段", "影响"}
    assert {word for words in DEMANDED.values() for word in words} - own_words <= {
        word for words in DEMANDED.values() for word in words if word in chinese
    }


def test_compiled_catalogue_answers_in_chinese_and_english():
    messages.compile_all()
    msgid, text = next(pair for pair in _catalogue() if CHINESE.search(pair[1]) and "%" not in pair[0])
    with translation.override("zh-hans"):
        assert translation.gettext(msgid) == text
    with translation.override("en"):
        assert translation.gettext(msgid) == msgid


@pytest.mark.parametrize(
    ("msgid", "text"),
    [
        ("New incident", "新事故"),
        ("Alarms", "报警"),
        ("3 alarms on this CI", "此设备有 3 条告警"),
        ("Priority", "优先权"),
        ("Reopened", "重新打开"),
    ],
)
def test_wrong_term_is_caught(msgid, text):
    assert wrong_terms([(msgid, text)])


@pytest.mark.parametrize(
    ("msgid", "text"), [("%(count)s open", "打开"), ("{name}", "{名称}"), ("Done", "完成 %s")]
)
def test_lost_value_is_caught(msgid, text):
    assert broken_places([(msgid, text)])


def test_untranslated_word_is_caught(tmp_path):
    (tmp_path / "pages.py").write_text('title = _("A word that nobody has translated")\n')
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_text(
        '{% load i18n %}\n  <p title="{% translate "In a tag" %}">{# not this #}\n'
        "{% blocktranslate trimmed count n=n %}\n  {{ n }} bed\n  {% plural %}\n {{ n }} beds{% endblocktranslate %}"
    )
    found = messages.said(tmp_path)
    assert {text.msgid for text in found} == {"A word that nobody has translated", "In a tag", "%(n)s bed"}
    assert {text.plural for text in found} == {"", "%(n)s beds"}
    rows_now = messages._entries(messages.read())
    assert all((text.msgid, text.context) not in rows_now for text in found)
