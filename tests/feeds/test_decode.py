import pytest

from feeds.decode import decode

POLISH = "Zażółć gęślą jaźń. Łódź, Świętochłowice, Żary, Ćmielów, Ólsztyn i Źródła ąę."


def document(encoding: str, label: str | None) -> bytes:
    declared = f' encoding="{label}"' if label else ""
    return f'<?xml version="1.0"{declared}?><rss><title>{POLISH}</title></rss>'.encode(encoding)


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", "ISO-8859-2"),
        ("utf-8", "utf-16"),
        ("utf-8", None),
        ("utf-8-sig", "windows-1250"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", None),
        ("utf-32", "utf-32"),
        ("cp1250", "windows-1250"),
        ("cp1250", "ISO-8859-2"),
        ("cp1250", "utf-8"),
        ("cp1250", None),
        ("iso-8859-2", "ISO-8859-2"),
        ("iso-8859-2", "windows-1250"),
        ("iso-8859-2", "UTF-8"),
        ("iso-8859-2", None),
    ],
)
def test_polish_text_comes_out_right_whatever_the_label_says(encoding: str, label: str | None) -> None:
    assert POLISH in decode(document(encoding, label)).text


def test_the_http_charset_is_believed_before_the_declaration() -> None:
    body = document("cp1250", "iso-8859-1")
    assert POLISH in decode(body, content_type="text/xml; charset=windows-1250").text


def test_text_encoded_twice_is_undone() -> None:
    twice = "Å‚Ã³dÅº, Å‚Ä…ka, Å¼aba, Å\x81Ã³dÅº"
    assert decode(twice.encode()).text == "łódź, łąka, żaba, Łódź"
    assert decode("Ångström, Ärger, Ãngelo".encode()).text == "Ångström, Ärger, Ãngelo"


def test_a_body_cut_in_the_middle_of_a_letter_is_still_utf_8() -> None:
    assert decode("łąka ż".encode()[:-1]).text == "łąka "


def test_a_few_broken_bytes_do_not_spoil_the_rest() -> None:
    decoded = decode(POLISH.encode() + b"\xff" + POLISH.encode())
    assert decoded.text == f"{POLISH}\ufffd{POLISH}"
    assert decoded.remark == "1 bytes are not utf-8"


def test_western_text_without_a_label_is_not_taken_for_polish() -> None:
    assert decode("<t>développées à l’été, où ça</t>".encode("cp1252")).encoding == "cp1252"


def test_an_override_helps_where_nothing_else_decides() -> None:
    assert decode("<t>Привет</t>".encode("koi8-r"), override="koi8-r").text == "<t>Привет</t>"


@pytest.mark.parametrize("label", ["hex", "zip", "unicode_escape", "idna", "rot13", "punycode", "no-such"])
def test_a_codec_that_is_no_charset_is_never_used(label: str) -> None:
    body = b"<?xml version='1.0' encoding='" + label.encode() + b"'?><t>\xe9</t>"
    assert decode(body).encoding == "cp1252"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("shift_jis", "DrecomRSSに記事投稿が反映されない"),
        ("euc_jp", "色々調べてたら、サポートしていない"),
        ("gb2312", "不归移民漫画系列：专业工作"),
        ("euc_kr", "한국어 제목입니다"),
        ("koi8-r", "Как пережить новогоднюю ночь"),
        ("cp1251", "Как пережить новогоднюю ночь"),
        ("cp1255", "אתר של חברת סלולר ישראלית"),
        ("cp1252", "Université de Nîmes, Prüfungsämter für Fußgänger, señor Ñandú"),
        ("cp1250", "Zażółć gęślą jaźń, nabór wniosków w Świeciu"),
    ],
)
def test_a_text_without_a_label_is_read_by_the_shape_of_its_letters(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)).text == text
