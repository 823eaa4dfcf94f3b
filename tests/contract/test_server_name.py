"""A URL names its server, whatever text it is."""

import pytest

from numerai_predict.cli.main import main
from numerai_predict.contract.server_name import is_loopback, server_of

ODD = ["http://[::1", "http://[", "://", "garbage", "", "http://a b/", "x\udcff", "s3://", "[", "]"]


@pytest.mark.parametrize("url", ODD)
def test_text_that_is_no_url_names_a_server_that_is_none_of_the_known(url):
    assert not is_loopback(server_of(url))


@pytest.mark.parametrize("url", ODD)
def test_an_odd_address_of_the_tournament_does_not_keep_a_command_from_its_help(
    monkeypatch, capsys, url
):
    monkeypatch.setenv("NUMERAI_API_URL", url)
    for command in ("run", "round", "fleet status", "data list", "diagnose"):
        with pytest.raises(SystemExit) as ended:
            main([*command.split(), "--help"])
        assert ended.value.code == 0
        assert "usage" in capsys.readouterr().out
