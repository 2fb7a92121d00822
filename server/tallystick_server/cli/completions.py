"""`tallystick completions`: what a shell needs to complete commands and options."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

app = App(
    name="completions",
    help="Print or install completions for your shell.",
    help_epilogue="Examples:\n  tallystick completions bash \\\n"
    "      > ~/.local/share/bash-completion/completions/tallystick\n"
    "  tallystick completions zsh --install",
)


@app.default
def completions(
    shell: Literal["bash", "zsh", "fish"],
    /,
    *,
    install: Annotated[bool, Parameter(help="Write it to where the shell looks, and say where.")] = False,
) -> int:
    """Print the script, or install it."""
    from .main import build_app
    from .terminal import Terminal

    terminal = Terminal.of_process()
    if install:
        terminal.note(f"Installed {build_app().install_completion(shell=shell, add_to_startup=False)}")
    else:
        terminal.out.write(build_app().generate_completion(shell=shell))
    return 0
