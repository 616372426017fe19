"""The kinds of value that an artifact's metadata holds, each with the pattern of its text.

Pydantic and the exported JSON Schema judge by the same patterns.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from remit.base.json_types import MAX_NUMBER

# A length besides the pattern: `$` of some readers of JSON Schema lets a line break pass.
_HEX = "[0-9a-f]"
_ID = f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_LOCAL = f"artifact://local/{_ID}"

# Control characters, line separators, and what turns the direction of a text around.
_UNSEEN = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_SEEN = f"^[^{_UNSEEN}]*$"
_WORD = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = f"^{_WORD}/{_WORD}(?:; ?{_WORD}={_WORD}){{0,4}}$"
_FILE_NAME = rf"^[^/\\{_UNSEEN}]*$"

_IDENTIFIER = f"^{_ID}$"
_DIGEST = f"^sha256:{_HEX}{{64}}$"
_ADDRESS = f"^{_LOCAL}$"
_PLACE = f"^(?:{_LOCAL}|artifact://(?:noop|filesystem|r2)/sha256/{_HEX}{{64}})$"
_CENTS = r"^-?[0-9]+(?:\.[0-9]+)?(?:E[+-]?[0-9]+)?$"
_DOLLARS = r"^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,12})?$"

FORMS: Mapping[str, str] = {
    _IDENTIFIER: "a UUID in lower case",
    _DIGEST: "`sha256:<hex>`",
    _ADDRESS: "`artifact://local/<id>`",
    _PLACE: "`artifact://local/<id>` or `artifact://<store>/sha256/<hex>`",
    _MEDIA_TYPE: "a media type, like `text/plain`",
    _FILE_NAME: "a name alone: no slash, nothing invisible",
    _SEEN: "text in which nothing is invisible",
    _CENTS: "a decimal number, as text",
    _DOLLARS: "a decimal number, as text",
}
"""What a text of each pattern is, in words."""

Id = Annotated[str, StringConstraints(pattern=_IDENTIFIER, min_length=36, max_length=36)]
Digest = Annotated[str, StringConstraints(pattern=_DIGEST, min_length=71, max_length=71)]
ArtifactUri = Annotated[str, StringConstraints(pattern=_ADDRESS, min_length=53, max_length=53)]
ContentUri = Annotated[
    str,
    StringConstraints(
        pattern=_PLACE,
        max_length=93,
    ),
]
"""The address of bytes: in the artifact's own row, or in an object store."""

MediaType = Annotated[str, StringConstraints(pattern=_MEDIA_TYPE, max_length=255)]
FileName = Annotated[str, StringConstraints(pattern=_FILE_NAME, min_length=1, max_length=255)]
"""The name of a file, without its folder and with nothing invisible that could mislead."""

LabelName = Annotated[str, StringConstraints(pattern=_SEEN, min_length=1, max_length=64)]
LabelText = Annotated[str, StringConstraints(pattern=_SEEN, max_length=255)]

Cents = Annotated[str, StringConstraints(pattern=_CENTS, max_length=64)]
"""US dollars as a decimal number in text, of whole cents."""

Dollars = Annotated[str, StringConstraints(pattern=_DOLLARS, max_length=22)]
"""US dollars as a decimal number in text, down to parts of a cent."""

Count = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
