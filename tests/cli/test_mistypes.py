"""Mistyped commands and options end with 2 and say what to type; no secret is repeated."""

import pytest


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        ("rond", "unknown command 'rond': did you mean round?"),
        ("rund", "unknown command 'rund': did you mean run?"),
        ("runs", "did you mean run?"),
        ("rouns", "did you mean rounds?"),
        ("sumbit", "did you mean submit?"),
        ("uplaod", "did you mean upload?"),
        ("fly", "unknown command 'fly': choose from run, inspect,"),
        ("fleet rum", "did you mean run?"),
        ("data veryfy", "did you mean verify?"),
        ("practice restart", "did you mean start?"),
        ("run m.pkl --memry 4g", "unknown option --memry: did you mean --memory?"),
        ("run m.pkl --mem 4g", "unknown option --mem"),
        ("round m.pkl --modelname x", "did you mean --model-name?"),
        ("data list --jsn", "did you mean --json?"),
        ("data get --data_version v5.2", "did you mean --data-version?"),
        ("--verson", "did you mean --version?"),
        ("status --modle x", "did you mean --model-name?"),
        ("data get --forse", "did you mean --refetch?"),
        ("upload m.pkl --forc", "did you mean --ignore-inspection?"),
        ("round m.pkl --lat", "did you mean --allow-late?"),
        ("fleet run m --retry", "did you mean --retry-failed?"),
        ("data list --locla", "did you mean --offline?"),
        ("run m.pkl --out .", "did you mean --output-dir?"),
        ("run m.pkl --outputdir .", "did you mean --output-dir?"),
        ("--debug run m.pkl", "unknown option --debug: type options after the command"),
        ("fleet --json status x", "unknown option --json: type options after the command"),
        ("rounds --limit 0", "expected a whole number from 1 on"),
        ("status -x", "unknown option -x"),
        ("fleet", "expected a command: choose from run, status"),
        ("run a.pkl b.pkl", "expected no further argument, found 1 too many"),
        ("completion tcsh", "invalid choice: 'tcsh'"),
    ],
)
def test_the_nearest_name_is_suggested(refuses, words, suggestion):
    assert suggestion in refuses(*words.split())


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        ("my.pkl", "numerai-predict run PICKLE"),
        ("fleet my.pkl", "numerai-predict run PICKLE"),
        ("fleet run --model my.pkl", "numerai-predict run PICKLE"),
        ("run", "type numerai-predict run PICKLE (numerai-predict run --help shows an example)"),
        ("diagnose", "type numerai-predict diagnose PICKLE"),
        ("run a.pkl --model b.pkl", "one as argument and another as --model"),
        ("round --model my.pkl", "numerai-predict round my.pkl --model-name NAME"),
        ("round --model=my.pkl.gz", "numerai-predict round my.pkl.gz --model-name NAME"),
        ("upload --model my.pkl", "numerai-predict upload my.pkl --model-name NAME"),
        ("submit --model my.pkl", "numerai-predict round my.pkl --model-name NAME"),
        ("status --model my.pkl", "numerai-predict status --model-name NAME"),
        ("practice start --model my.pkl", "numerai-predict practice start --model-name NAME"),
        ("round my.pkl", "arguments are required: --model-name"),
    ],
)
def test_a_pickle_in_the_wrong_place_is_answered_with_what_to_type(refuses, words, suggestion):
    assert suggestion in refuses(*words.split())


@pytest.mark.parametrize(
    "words",
    [
        ["deliver", "x.csv", "--post-dat=SECRET"],
        ["deliver", "x.csv", "--post_dta", "SECRET"],
        ["run", "m.pkl", "--post-dat", "SECRET", "--memry", "4"],
        ["run", "m.pkl", "https://host/p?signature=SECRET"],
        ["https://host/p?signature=SECRET"],
        ["key=a&policy=SECRET"],
        ["data", "https://host/p?signature=SECRET"],
        ["run", "ftp://user:SECRET@host/m.pkl"],
        ["run", "m.pkl", "--post-url", "https://host/p", "--post-data", "SECRET"],
        ["run", "m.pkl", "--post-url", "ftp://host/SECRET", "--post-data", "a=1"],
    ],
    ids=" ".join,
)
def test_values_that_may_be_secrets_are_not_repeated(exits, words):
    code, printed = exits(*words)
    assert code == 2
    assert "SECRET" not in printed.err
