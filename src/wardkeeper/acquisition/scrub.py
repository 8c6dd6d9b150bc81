"""Takes out of a text what could name a patient. Pure; every listener's text passes here before emit.

Device messages should hold nothing of a patient, but interface engines log whole HL7
messages, PACS nodes print DICOM headers and self-service machines print phone numbers.
What is recognised is replaced by MARK; when in doubt, taken out. Free text that names a
person without a label ("Zhang San fell") cannot be recognised; a Chinese name after
患者 or 病人 is.
"""

import re
from datetime import date

MARK = "[removed]"

# HL7 v2 segments about a person, a visit, an order or a result; MSH, EVN, MSA stay, they
# name systems. No word boundary before: in BER the length byte before a text may be a letter.
_HL7 = re.compile(
    r"(?:PID|PD1|NK1|PV1|PV2|IN1|IN2|IN3|GT1|MRG|DG1|DRG|PR1|AL1|IAM|ACC|OBX|OBR|ORC|NTE|SPM|SCH|AIP|TXA"
    r"|RXA|RXD|RXE|RXO|FT1|ROL|CTD|ARV|PDA|PRD|Z[A-Z0-9]{2})\|"
    # Up to the end of the segment, also as rsyslog (#015) and loggers (\r) write it. Not
    # up to the next thing that looks like a segment: "||LIU|" does.
    r"(?:(?!#01[25]|\\[rn])[^\r\n])*"
)
# Group 0010 of DICOM (PS3.6) as dump tools print it, to the end of the line.
_DICOM_TAG = re.compile(r"\(?0010,\s?[0-9A-Fa-f]{4}\)?[^\r\n]*")
# A DICOM person name (PS3.5, 6.2, VR PN) or HL7 XPN: ZHANG^SAN. ADT^A01 is none.
_CARET_NAME = re.compile(r"[^\W\d_]{1,64}(?:\^[^\W\d_]{1,64})+(?!\w)[\^=]*")
# Quoted, bracketed, a name of up to four Latin words, or whatever stands up to a space or stop.
_VALUE = (
    r"""(?:"[^"]*"?|'[^']*'?|\[[^\]]*\]?"""
    r"""|[A-Za-z.'-]++(?: [A-Za-z.'-]++(?!\s?[:=：])){0,3}(?!\w)"""
    r"""|[^\s,;|"'<>&，；。、]+)"""
)
_ENGLISH_LABEL = (
    r"(?:patient(?:'s)?[ _.-]?(?:full[ _-]?)?(?:name|id|identifier|no|number|birth[ _-]?date|dob|address|phone|"
    r"telephone[ _-]?numbers?|mobile|comments|mother[ _-]?birth[ _-]?name|sex|age)?"
    r"|other[ _]?patient[ _]?(?:ids?|names?)|mrn|medical[ _-]?record[ _-]?(?:no|number|locator)?"
    r"|(?:inpatient|outpatient|admission|visit)[ _-]?(?:no|number|id)|id[ _-]?card(?:[ _-]?(?:no|number))?)"
)
_ENGLISH = re.compile(rf"""(?i)(?P<label>{_ENGLISH_LABEL}["'\]]?\s*[:=]\s*)(?P<value>{_VALUE})""")
_ENGLISH_NAME = re.compile(rf"(?i){_ENGLISH_LABEL}\Z")
_CHINESE_LABEL = (
    r"(?:(?:患者|病人|患儿|产妇|家属|监护人|联系人)(?:的)?(?:姓名|名字|名称|编号|号码|ID|id|号|电话|手机号?|身份证号?码?)?"
    r"|姓名|住院号|门诊号|病历号|病案号|就诊号|就诊卡号?|诊疗卡号?|健康卡号?|医保卡?号|登记号|检查号|条码号|床号|身份证号?码?|证件号码?"
    r"|手机号?码?|联系电话|家庭住址|联系地址|出生日期)"
)
_CHINESE = re.compile(
    rf"""(?P<label>{_CHINESE_LABEL}["'\]】）)]?\s*(?:[:：=＝]|是|为)\s*)(?P<value>{_VALUE})"""
)
_CHINESE_NUMBER = re.compile(rf"(?P<label>{_CHINESE_LABEL}\s*)(?P<value>[A-Za-z]{{0,3}}\d{{4,}}[Xx]?)")
_CHINESE_NAME = re.compile(rf"(?i){_CHINESE_LABEL}\Z")
# The hundred commonest family names (Ministry of Public Security, 2020) cover 85 % of people.
# With them 患者张三 is a name, 患者数据库 and 病人监护仪 are not.
_FAMILY_NAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_DOUBLE_NAMES = (
    "欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|司徒|端木|南宫|独孤|申屠|赫连|呼延|轩辕|宇文|长孙"
)
_PERSON = (
    # Uyghur, Kazakh and other names carry a dot: 古丽·买买提.
    r"(?:[一-龥]{1,12}[·•・][一-龥·•・]{1,16}"
    rf"|(?:{_DOUBLE_NAMES})[一-龥]{{1,3}}|[{_FAMILY_NAMES}][一-龥]{{1,2}})"
)
_CHINESE_PERSON = re.compile(rf"(?P<label>(?:患者|病人|患儿|产妇)\s*)(?P<value>{_PERSON})")
_ID_CARD = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
# GB 11643-1999: ISO 7064 MOD 11-2.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
_LONG_NUMBER = re.compile(r"\d{3}[- ]?\d{4}[- ]?\d{4}")
_RUN_OF_DIGITS = re.compile(rb"\d{11,}[Xx]?")


def is_suspect(text: str) -> bool:
    """Whether `scrub` could change `text`. Cheap (1-2 us a line): most lines stop here."""
    if not text.isascii() or "|" in text or "^" in text or _LONG_NUMBER.search(text) is not None:
        return True
    lower = text.lower()
    # Parts of the labels, and of a DICOM tag.
    return (
        "patient" in lower
        or "mrn" in lower
        or "medical" in lower
        or "admission" in lower
        or "visit" in lower
        or "card" in lower
        or "0010," in lower
    )


def scrub(text: str) -> str:
    """`text` with MARK in place of what could name a patient."""
    if not is_suspect(text):
        return text
    text = _HL7.sub(lambda match: f"{match[0][:4]}{MARK}", text)
    text = _DICOM_TAG.sub(lambda match: f"{match[0].partition(')')[0][:10]}) {MARK}", text)
    text = _CARET_NAME.sub(MARK, text)
    text = _ENGLISH.sub(rf"\g<label>{MARK}", text)
    if not text.isascii():
        text = _CHINESE.sub(rf"\g<label>{MARK}", text)
        text = _CHINESE_NUMBER.sub(rf"\g<label>{MARK}", text)
        text = _CHINESE_PERSON.sub(rf"\g<label>{MARK}", text)
    text = _ID_CARD.sub(lambda match: MARK if _is_id_card(match[0]) else match[0], text)
    return _MOBILE.sub(MARK, text)


def scrub_named(name: str, value: str) -> str:
    """A value that stands beside its name, as in structured data: taken out if the name says whose it is."""
    if value and (_ENGLISH_NAME.match(name) or _CHINESE_NAME.match(name)):
        return MARK
    return scrub(value)


def scrub_bytes(raw: bytes) -> bytes:
    """The same for bytes of unknown encoding, kept for inspection.

    Stricter: every run of 11 digits or more goes, because what stands before it (a BER
    length, say) may look like one digit more.
    """
    try:
        clean = scrub(raw.decode()).encode()
    except UnicodeDecodeError:
        # Valid parts of either encoding are found; what is valid in neither stays as it was.
        clean = scrub(raw.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        clean = scrub(clean.decode("gb18030", "surrogateescape")).encode("gb18030", "surrogateescape")
    return _RUN_OF_DIGITS.sub(MARK.encode(), clean)


def _is_id_card(text: str) -> bool:
    """A right check digit, or a plausible birthday: a mistyped number still names a person."""
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, text, strict=False))
    if _ID_CHECKS[total % 11] == text[17].upper():
        return True
    try:
        born_on = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return text[0] in "12345678" and date(1900, 1, 1) <= born_on <= date(2100, 1, 1)
