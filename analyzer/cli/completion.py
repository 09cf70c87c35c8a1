"""`mtlscope completion SHELL`: print a script that makes the shell complete commands, options and their values.

bash:        source <(mtlscope completion bash)                                      in ~/.bashrc
zsh:         source <(mtlscope completion zsh)                                       in ~/.zshrc, after compinit
PowerShell:  mtlscope completion powershell | Out-String | Invoke-Expression        in $PROFILE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from analyzer.cli.main import show
from analyzer.cli.parser import Parser, one_of

if TYPE_CHECKING:
    from analyzer.cli.commands import Command, Option

T = TypeVar("T")
SHELLS = ("bash", "zsh", "powershell")
HEAD = "# Made by `mtlscope completion {}`. Make it anew after an update."


def run(words: list[str]) -> int:
    """Print the script. Raise UsageError for a shell that is none of the three."""
    parser = Parser(prog="mtlscope completion", description=__doc__)
    parser.add_argument("shell", type=one_of(SHELLS), metavar="SHELL", help=", ".join(SHELLS))
    shell = parser.parse_args(words).shell
    from analyzer.cli.commands import commands

    script = {"bash": bash, "zsh": zsh, "powershell": powershell}[shell](commands())
    show(script)
    return 0


def _names(command: Command) -> list[str]:
    return [name for option in command.options for name in option.names]


def _valued(command: Command) -> list[tuple[Option, str]]:
    return [(option, name) for option in command.options if option.value for name in option.names]


def bash(commands: tuple[Command, ...]) -> str:
    """For bash 3.2 and newer; needs no bash-completion. File names are what bash offers when nothing else fits."""
    names = " ".join(command.name for command in commands)
    lines = [
        HEAD.format("bash"),
        "_mtlscope() {",
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=analyze options= words=",
        "    COMPREPLY=()",
        f'    if ((COMP_CWORD > 1)) && [[ " {names} " == *" ${{COMP_WORDS[1]}} "* ]]; then command=${{COMP_WORDS[1]}}; fi',
        '    case "$command $prev" in',
    ]
    for command in commands:
        for option, name in _valued(command):
            offer = f'COMPREPLY=($(compgen -W "{" ".join(option.values)}" -- "$cur")); ' if option.values else ""
            lines.append(f'        "{command.name} {name}") {offer}return ;;')
    lines += ["    esac", '    case "$command" in']
    for command in commands:
        words = " ".join(value for word in command.words for value in word.values)
        lines.append(f'        {command.name}) options="{" ".join(_names(command))}" words="{words}" ;;')
    lines += [
        "    esac",
        f'    if ((COMP_CWORD == 1)); then words="{names}"; fi',
        "    if [[ $cur == -* ]]; then words=$options; fi",
        '    COMPREPLY=($(compgen -W "$words" -- "$cur"))',
        "}",
        "complete -o default -o bashdefault -F _mtlscope mtlscope",
    ]
    return "\n".join(lines) + "\n"


def zsh(commands: tuple[Command, ...]) -> str:
    """For zsh's own completion system: with help beside each word. Also fit for a file _mtlscope in $fpath."""
    names = "|".join(command.name for command in commands)
    listed = " ".join(_zsh_quoted(f"{command.name}:{command.help}") for command in commands)
    lines = [
        "#compdef mtlscope",
        HEAD.format("zsh"),
        "_mtlscope() {",
        "    local command=analyze",
        f"    local -a commands=({listed})",
        "    if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then",
        "        _describe -t commands 'command' commands",
        "        _files",
        "        return",
        "    fi",
        f"    case $words[2] in {names}) command=$words[2]; shift words; ((CURRENT--)) ;; esac",
        "    case $command in",
    ]
    for command in commands:
        specs = [_zsh_option(option, name) for option in command.options for name in option.names]
        specs += [_zsh_word(word, number) for number, word in enumerate(command.words, 1)]
        joined = " \\\n            ".join(specs)
        lines += [f"        {command.name})", f"            _arguments -S \\\n            {joined} ;;"]
    lines += [
        "    esac",
        "}",
        'if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then _mtlscope "$@"; else compdef _mtlscope mtlscope; fi',
    ]
    return "\n".join(lines) + "\n"


def _zsh_option(option: Option, name: str) -> str:
    """'(-q --quiet)-q[only errors]', '*--trust[what a host trusts]:PATH:_files'."""
    start = "*" if option.repeated else f"({' '.join(option.names)})"
    value = f":{_zsh_text(option.value)}:{_zsh_values(option)}" if option.value else ""
    return _zsh_quoted(f"{start}{name}[{_zsh_text(option.help)}]{value}")


def _zsh_word(word: Option, number: int) -> str:
    """A word without fixed values is a file, nearly always. (Only a message there would hide the options.)"""
    start = "*" if word.repeated else number
    return _zsh_quoted(f"{start}:{_zsh_text(word.value)}:{_zsh_values(word) if word.values else '_files'}")


def _zsh_values(option: Option) -> str:
    return f"({' '.join(option.values)})" if option.values else "_files" if option.takes_file else " "


def _zsh_text(text: str) -> str:
    for sign in "\\:[]":
        text = text.replace(sign, f"\\{sign}")
    return text


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def powershell(commands: tuple[Command, ...]) -> str:
    """For Windows PowerShell 5.1 and PowerShell 7. File names are what it offers when nothing else fits."""
    lines = [HEAD.format("powershell"), "Register-ArgumentCompleter -Native -CommandName mtlscope -ScriptBlock {"]
    lines += ["    param($wordToComplete, $commandAst, $cursorPosition)", "    $commands = [ordered]@{"]
    lines += [f"        {_ps(command.name)} = {_ps(command.help)}" for command in commands]
    lines += ["    }", "    $options = @{"]
    for command in commands:
        lines.append(f"        {_ps(command.name)} = [ordered]@{{")
        helps = {name: option.help for option in command.options for name in option.names}
        lines += [f"            {_ps(name)} = {_ps(text or name)}" for name, text in _apart(helps).items()]
        lines.append("        }")
    lines += ["    }", "    $values = @{"]
    for command in commands:
        known = {name: option.values for option, name in _valued(command)}
        known |= {"": tuple(value for word in command.words for value in word.values)}
        lines.append(f"        {_ps(command.name)} = @{{")
        lines += [
            f"            {_ps(name)} = @({', '.join(map(_ps, values))})" for name, values in _apart(known).items()
        ]
        lines.append("        }")
    return "\n".join([*lines, "    }\n"]) + _PS_END


def _apart(table: dict[str, T]) -> dict[str, T]:
    """Keys of PowerShell's tables ignore case: of -t and -T only -t stays."""
    return {name: value for name, value in table.items() if name == name.lower() or name.lower() not in table}


def _ps(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_PS_END = """\
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        Select-Object -Skip 1 | ForEach-Object { $_.Extent.Text })
    $command = 'analyze'
    if ($words.Count -gt 0 -and $commands.Contains($words[0])) { $command = $words[0] }
    $offers = [ordered]@{}
    if ($words.Count -gt 0 -and $values[$command].ContainsKey($words[-1])) {
        $values[$command][$words[-1]] | ForEach-Object { $offers[$_] = $_ }
    } elseif ($wordToComplete -like '-*') {
        $offers = $options[$command]
    } else {
        if ($words.Count -eq 0) { $offers = $commands } else { $values[$command][''] | ForEach-Object { $offers[$_] = $_ } }
    }
    $offers.GetEnumerator() | Where-Object { $_.Key -like "$wordToComplete*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_.Key, $_.Key, 'ParameterValue', $_.Value)
    }
}
"""
