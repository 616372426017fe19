"""What a policy asks of the tokens with which people approve."""

from remit.policy.config import PolicyConfig, parse_policy


def test_what_a_file_asks_of_tokens_is_read_and_a_stored_policy_of_before_asked_nothing() -> None:
    text = 'version = "7"\nbudget.limits = []\n[approval]\nrules = []\n{}\n[end]\nversion = "7"\n'
    for name in ("independent_tokens", "redeemed_tokens"):
        approval = parse_policy(text.format(f"{name} = true"), source="my.toml").approval
        assert approval.independent_tokens
        assert approval.redeemed_tokens is (name == "redeemed_tokens")
    text = text.format("independent_tokens = false")
    assert not parse_policy(text, source="my.toml").approval.independent_tokens
    nothing = PolicyConfig(version="7")
    assert "_tokens" not in str(nothing.canonical())
    assert PolicyConfig.model_validate(nothing.canonical()) == nothing
