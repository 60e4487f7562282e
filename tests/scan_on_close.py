"""Every network that a notebook closes is searched for personal data first: see tests/test_residents.py."""

from typing import Any

from minichain.client import Network

_close = Network.close


def _scan_and_close(net: Network, *args: Any) -> None:
    from minichain.client.exposure import exposed  # noqa: PLC0415 - a kernel should not wait for it when it starts
    from minichain.scenarios.residents import personal_values  # noqa: PLC0415

    if net._client is not None and any(report.is_up for report in net.status()):
        found = exposed(net, personal_values())
        assert not found, f"personal data on a chain: {found[:3]}"
    _close(net)


Network.close = _scan_and_close  # type: ignore[method-assign]
