from __future__ import annotations

import pytest

from edgeopt.core.errors import UsageError
from edgeopt.targets.address import Address, parse_address, split_target


def test_a_target_may_say_where_it_is() -> None:
    assert split_target("arm64") == ("arm64", None)
    assert split_target("ssh://kitchen") == (None, Address("kitchen"))
    found = split_target("raspberry-pi-5@ssh://pi@kitchen.lan:2222")
    assert found == ("raspberry-pi-5", Address("kitchen.lan", "pi", 2222))
    assert str(found[1]) == "ssh://pi@kitchen.lan:2222"


def test_an_emulated_board_is_named_by_its_processor() -> None:
    found = split_target("raspberry-pi-5@emulated://cortex-a76")
    assert found == ("raspberry-pi-5", Address("cortex-a76", scheme="emulated"))
    _, elsewhere = split_target("emulated://cortex-a72/var/roots/")
    assert elsewhere == Address("cortex-a72", scheme="emulated", path="/var/roots")
    assert str(elsewhere) == "emulated://cortex-a72/var/roots"
    with pytest.raises(UsageError, match="write emulated://cortex-a72 or emulated://cortex-a76"):
        parse_address("emulated://cortex-a53")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ssh://",
            "ssh://-oProxyCommand=x",
            "ssh://-v@host",
            "ssh://host:port",
            "ssh://host/path",
        ),
        *("http://host", "ssh://user:secret@host", "ssh://host;reboot", "ssh://a b"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="ssh://user@host"):
        parse_address(text)
