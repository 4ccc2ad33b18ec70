"""`amq completion`: what a shell needs to complete commands, options and names."""

from typing import Final

import click
from click.shell_completion import get_completion_class

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_AMQ_COMPLETE"


@click.command(
    "completion",
    short_help="write the script by which a shell completes `amq`",
    help="Write the script by which a shell completes commands, options and names of queues, users and so on. "
    'bash: eval "$(amq completion bash)"; zsh: eval "$(amq completion zsh)"; fish: amq completion fish | source.',
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Write it."""
    made = get_completion_class(shell)
    assert made is not None, "click knows these shells"
    # bash is not asked for its version: the script may be for another machine.
    completion = made(ctx.find_root().command, {}, "amq", VARIABLE)
    click.echo(completion.source_template % completion.source_vars())
