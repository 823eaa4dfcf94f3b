"""Options of `completion`."""

from __future__ import annotations

from numerai_predict.runner.option_parser import OptionParser

SHELLS = ("bash", "zsh", "fish")


def add_options(parser: OptionParser) -> None:
    """Add the options of `completion`."""
    parser.usage = "%(prog)s {bash,zsh,fish}"
    parser.description = (
        "Print a shell completion script for commands, options, their choices and files."
    )
    parser.epilog = (
        "example:\n"
        "  numerai-predict completion bash > "
        "~/.local/share/bash-completion/completions/numerai-predict\n"
        "  numerai-predict completion zsh > ~/.zfunc/_numerai-predict\n"
        "  numerai-predict completion fish > ~/.config/fish/completions/numerai-predict.fish"
    )
    metavar = f"{{{','.join(SHELLS)}}}"
    parser.add_argument("shell", choices=SHELLS, metavar=metavar, help="the shell")
